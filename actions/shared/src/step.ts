import type { Log } from '@reposure/core';

/** What a step has of its runner. */
export interface Step {
  /** A folder of this step alone, 0700, under the runner's temporary one; removed at its end, or by `post`. */
  readonly folder: string;
  /** The kubeconfig, as `KUBECONFIG` has it; everything secret in it is masked. */
  readonly kubeconfig: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal;
  /** Keeps a value out of the log of this job, from here on. */
  readonly mask: (secret: string) => void;
  /** Runs a phase, whose lines the log folds away under this name. */
  group<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Hands something to the step's `post`, at once: this process may be killed. */
  readonly save: (name: string, value: string) => void;
}
