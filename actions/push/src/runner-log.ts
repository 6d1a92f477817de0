import * as runner from '@actions/core';
import type { Log } from '@reposure/core';

/** Tells the runner. Its own functions escape what they send as a command; `info` sends it as it is. */
export const runnerLog: Log = {
  debug: runner.debug,
  info: (message) => runner.info(plainLine(message)),
  warn: (message) => runner.warning(message),
};

/**
 * One line that the runner takes for no command, whatever a registry or an archive put into it.
 *
 * @see https://github.com/actions/runner/blob/v2.325.0/src/Runner.Common/ActionCommand.cs
 */
export function plainLine(message: string): string {
  return message
    .trim()
    .replaceAll(/\s*[\r\n]+\s*/g, ' ')
    .replace(/^::/, ': :')
    .replaceAll('##[', '## [');
}
