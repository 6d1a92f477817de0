import type { Log } from '@reposure/core';
import { runProgram } from '@reposure/core/content';
import type { RunProgram } from '@reposure/core/content';

/**
 * Runs a program of the runner, and says which: docker, podman or buildah, when a source asks for one.
 *
 * Not by `@actions/exec`: that cannot end a program when the job is cancelled, and the runner tells
 * only us of it, so that what `docker save` writes would outlive the step.
 */
export function hostRun(log: Log): RunProgram {
  return async (call) => {
    log.info(`[command]${[call.command, ...call.args].join(' ')}`);
    return await runProgram(call);
  };
}
