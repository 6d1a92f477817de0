import * as runner from '@actions/core';
import { explain } from '@reposure/core';

import { redacted } from './secrets.ts';

/**
 * Fails the step with one error, which the job's page shows; a stack only where debugging is on.
 *
 * @param message What is said of it.
 */
export function fail(error: unknown, message = explain(error)): void {
  if (runner.isDebug() && error instanceof Error) runner.debug(redacted(error.stack ?? ''));
  runner.setFailed(redacted(message));
}
