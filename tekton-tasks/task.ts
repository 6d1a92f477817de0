import { readdirSync, readFileSync } from 'node:fs';

import { parse } from 'yaml';

/** One step, as far as files are made of it. */
export interface TaskStep {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

/** A Task, as far as files are made of it. */
export interface StepTask {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly description: string;
    readonly params?: readonly {
      readonly name: string;
      readonly type?: string;
      readonly description?: string;
      readonly default?: string | readonly string[];
    }[];
    readonly workspaces?: readonly { readonly name: string; readonly description?: string }[];
    readonly results?: readonly { readonly name: string; readonly description?: string }[];
    readonly stepTemplate?: Omit<TaskStep, 'name'>;
    readonly steps: readonly TaskStep[];
  };
}

const here = new URL('.', import.meta.url);

/** Names of the Tasks, sorted. */
export function taskNames(): string[] {
  return readdirSync(new URL('task/', here)).toSorted();
}

/** Reads one of our YAML files as Kubernetes reads it: in version 1.1. @param path Below `tekton-tasks/`. */
export function readYaml(path: string): unknown {
  return parse(textOf(path), { version: '1.1' });
}

/** @param path Below `tekton-tasks/`. */
export function textOf(path: string): string {
  return readFileSync(new URL(path, here), 'utf8');
}

/** Reads a Task. */
export function readStepTask(name: string): StepTask {
  // What its schema wants is checked by the tests.
  const task: StepTask = parse(textOf(`task/${name}/${name}.yaml`), { version: '1.1' });
  return task;
}
