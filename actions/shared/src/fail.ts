import * as runner from '@actions/core';
import { explain } from '@reposure/core';

import { redacted } from './secrets.ts';

/** Fails the step with one error, which the job's page shows; a stack only where debugging is on. */
export function fail(error: unknown): void {
  if (runner.isDebug() && error instanceof Error) runner.debug(redacted(error.stack ?? ''));
  runner.setFailed(redacted(explain(error)));
}
