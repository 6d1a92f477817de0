import * as runner from '@actions/core';
import type { Log, OnProgress } from '@reposure/core';
import { progressLines } from '@reposure/core/transfer';

import { redacted } from './secrets.ts';

/** Tells the runner. Its own functions escape what they send as a command; `info` sends it as it is. */
export const runnerLog: Log = {
  debug: (message) => runner.debug(redacted(message)),
  info: (message) => runner.info(plainLine(redacted(message))),
  warn: (message) => runner.warning(redacted(message)),
};

/** Tells how a transfer goes on, a line for each thing that is done. */
export function linesTo(log: Log): OnProgress {
  const lineOf = progressLines();
  return (event) => {
    const line = lineOf(event);
    if (line !== undefined) log.info(line);
  };
}

/**
 * One line that the runner takes for no command, whatever a registry or an archive put into it.
 *
 * @see https://github.com/actions/runner/blob/v2.325.0/src/Runner.Common/ActionCommand.cs
 */
export function plainLine(message: string): string {
  return message
    .trimEnd()
    .replaceAll(/\s*[\r\n]+\s*/g, ' ')
    .replace(/^\s*::/, ': :')
    .replaceAll('##[', '## [');
}
