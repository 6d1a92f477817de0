import { readFileSync } from 'node:fs';

import { parse } from 'yaml';

/** A param's value, as Tekton has it. */
export type ParamValue = string | readonly string[];

/** One step of a Task, as far as the tests act on it. */
export interface Step {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly script?: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly workingDir?: string;
  readonly onError?: string;
  readonly when?: readonly {
    readonly input: string;
    readonly operator: string;
    readonly values: readonly string[];
  }[];
  readonly results?: readonly { readonly name: string; readonly type?: string }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

/** @see https://github.com/tektoncd/pipeline/blob/v1.9.0/docs/tasks.md */
export interface Task {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly description?: string;
    readonly params?: readonly {
      readonly name: string;
      readonly type?: string;
      readonly description?: string;
      readonly default?: ParamValue;
    }[];
    readonly workspaces?: readonly {
      readonly name: string;
      readonly optional?: boolean;
      readonly readOnly?: boolean;
      readonly description?: string;
    }[];
    readonly results?: readonly { readonly name: string; readonly description?: string }[];
    readonly stepTemplate?: Omit<Step, 'name'>;
    readonly steps: readonly Step[];
    readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  };
}

/** Reads a Task of `tekton-tasks/`, as Kubernetes reads YAML. */
export function readTask(name: string): Task {
  const file = new URL(`../../../tekton-tasks/task/${name}/${name}.yaml`, import.meta.url);
  return parse(readFileSync(file, 'utf8'), { version: '1.1' }) as Task;
}
