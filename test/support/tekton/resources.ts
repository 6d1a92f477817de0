import { readFileSync } from 'node:fs';

import { parse } from 'yaml';

/** A param's value, as Tekton has it. */
export type ParamValue = string | readonly string[];

/** As a Task, a StepAction or a Pipeline declares it. */
export interface Param {
  readonly name: string;
  readonly type?: string;
  readonly description?: string;
  readonly default?: ParamValue;
}

/** As it is given. */
export interface GivenParam {
  readonly name: string;
  readonly value: ParamValue;
}

/** One step of a Task, as far as the tests act on it. */
export interface Step {
  readonly name: string;
  /** The StepAction that it is, and what that is given. */
  readonly ref?: { readonly name: string };
  readonly params?: readonly GivenParam[];
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

/** What a Task or a Pipeline hands on; `value` says which result of a step or of a Task it is. */
interface Result {
  readonly name: string;
  readonly description?: string;
  readonly value?: string;
}

/** @see https://github.com/tektoncd/pipeline/blob/v1.9.0/docs/stepactions.md */
export interface StepAction {
  readonly spec: Omit<Step, 'name' | 'ref' | 'params'> & { readonly params?: readonly Param[] };
}

/** @see https://github.com/tektoncd/pipeline/blob/v1.9.0/docs/pipelines.md */
export interface Pipeline {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly params?: readonly Param[];
    readonly workspaces?: readonly { readonly name: string; readonly optional?: boolean }[];
    readonly results?: readonly (Result & { readonly value: string })[];
    readonly tasks: readonly {
      readonly name: string;
      readonly taskRef: { readonly name: string };
      readonly params?: readonly GivenParam[];
      readonly workspaces?: readonly { readonly name: string; readonly workspace: string }[];
    }[];
  };
}

/** As far as the examples have it. */
export interface PipelineRun {
  readonly spec: {
    readonly pipelineRef: { readonly name: string };
    readonly taskRunTemplate: { readonly serviceAccountName: string };
    readonly params?: readonly GivenParam[];
    readonly workspaces?: TaskRun['spec']['workspaces'];
  };
}

/** As far as the samples have it. */
export interface TaskRun {
  readonly spec: {
    readonly serviceAccountName?: string;
    readonly taskRef?: { readonly name: string };
    readonly params?: readonly GivenParam[];
    readonly workspaces?: readonly ({ readonly name: string } & Readonly<
      Record<string, unknown>
    >)[];
  };
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
    readonly params?: readonly Param[];
    readonly workspaces?: readonly {
      readonly name: string;
      readonly optional?: boolean;
      readonly readOnly?: boolean;
      readonly description?: string;
    }[];
    readonly results?: readonly Result[];
    readonly stepTemplate?: Omit<Step, 'name'>;
    readonly steps: readonly Step[];
    readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  };
}

/** Reads a Task of `tekton-tasks/`, as Kubernetes reads YAML. */
export function readTask(name: string): Task {
  return readYaml(`tekton-tasks/task/${name}/${name}.yaml`) as Task;
}

/** Reads a StepAction of `tekton-tasks/`. */
export function readStepAction(name: string): StepAction {
  return readYaml(`tekton-tasks/stepaction/${name}/${name}.yaml`) as StepAction;
}

/** Reads a Pipeline of `tekton-tasks/`. */
export function readPipeline(name: string): Pipeline {
  return readYaml(`tekton-tasks/pipeline/${name}/${name}.yaml`) as Pipeline;
}

/** Reads the sample of a Task. */
export function readSample(name: string): TaskRun {
  return readYaml(`tekton-tasks/task/${name}/samples/${name}.yaml`) as TaskRun;
}

/** @param path In this repository. */
function readYaml(path: string): unknown {
  const file = new URL(`../../../${path}`, import.meta.url);
  return parse(readFileSync(file, 'utf8'), { version: '1.1' });
}
