import type * as z from 'zod';

import type { Step } from './step.ts';
import type { Summary } from './summary.ts';

/** What every action takes, whatever else. */
export interface CommonInputs {
  readonly kubeconfig?: string | undefined;
  readonly summary: boolean;
}

/** The schema of an action's inputs, by the names of `action.yml`. */
type ActionInputs<T> = z.ZodObject & z.ZodType<T>;

/** What a step hands on when it is done. */
export interface Done {
  /** By the names of `action.yml`; all of them are text. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary?: Summary | undefined;
}

/** An action: what `action.yml` says of it, and what it does. */
export interface Action<T extends CommonInputs> {
  /** Its folder in `actions/`. */
  readonly name: string;
  /** For the job's page: what failed, if it failed: `Push`. */
  readonly title: string;
  readonly inputs: ActionInputs<T>;
  /** Whether what it puts into its folder is for the steps behind it, and goes in `post` only. */
  readonly keepsFolder?: boolean;
  /** What is true when it was cancelled: behind `Cancelled (SIGINT); `. */
  readonly cancelled: string;
  /** What it was to do, as the summary of a failure names it: one reference per line. */
  subjects(inputs: T): readonly string[];
  /** What failed, each with its cause, where an error knows more than one. */
  causes?(error: unknown): readonly (readonly [what: string, cause: string])[] | undefined;
  main(inputs: T, step: Step): Promise<Done>;
}
