import { parseDurationMs, TimeoutError } from '@reposure/core';

import { interruption } from './interruption.ts';

/**
 * What ends a command: Ctrl-C, SIGTERM, and `--timeout`, whose clock starts here.
 *
 * @throws {InputError} if `timeout` is no duration.
 */
export function endingAfter(timeout: string | undefined): AbortSignal {
  if (timeout === undefined) return interruption();
  const timeoutMs = parseDurationMs(timeout);
  const late = new AbortController();
  const reason = new TimeoutError(`Cannot finish within ${timeout}; --timeout gives it longer`);
  setTimeout(() => late.abort(reason), timeoutMs).unref();
  return AbortSignal.any([interruption(), late.signal]);
}
