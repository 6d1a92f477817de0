import { readStepAction } from './resources.ts';
import type { Param, ParamValue, Step, Task } from './resources.ts';

/** What a TaskRun gives its Task. */
export interface TaskRunInput {
  readonly name: string;
  readonly namespace: string;
  readonly params?: Readonly<Record<string, ParamValue>>;
  /** Names of workspaces, and what a Pod mounts for them. */
  readonly workspaces?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Variables, and the texts that they stand for. */
export type Texts = Readonly<Record<string, string>>;
/** Variables, and the arrays that they stand for. */
export type Lists = Readonly<Record<string, readonly string[]>>;

/**
 * The steps of a TaskRun with everything replaced that Tekton replaces before the Pod is made, in its
 * passes and order: params, context, results, exit codes, workspaces, credentials.
 *
 * @throws {Error} as Tekton's reconciler refuses a TaskRun: a param is missing, unknown or of another type.
 * @see https://github.com/tektoncd/pipeline/blob/v1.9.0/pkg/reconciler/taskrun/resources/apply.go
 */
export function substitutedSteps(task: Task, run: TaskRunInput): Step[] {
  const { spec } = task;
  const [texts, lists] = paramsOf(spec.params, run.params);
  const resultPaths = (spec.results ?? []).map(({ name }) => [
    `results.${name}.path`,
    `/tekton/results/${name}`,
  ]);
  const passes: [Texts, Lists][] = [
    [texts, lists],
    [
      {
        'context.taskRun.name': run.name,
        'context.taskRun.namespace': run.namespace,
        'context.task.name': task.metadata.name,
      },
      {},
    ],
    [Object.fromEntries(resultPaths) as Texts, {}],
    [workspacesOf(task, run), {}],
    [{ 'credentials.path': '/tekton/creds' }, {}],
  ];
  return spec.steps
    .map(inlined)
    .map((step) => merged(spec.stepTemplate ?? {}, step))
    .map((step) => {
      const own = (step.results ?? []).map(({ name }) => [
        `step.results.${name}.path`,
        `/tekton/steps/step-${step.name}/results/${name}`,
      ]);
      const all = [...passes, [Object.fromEntries(own) as Texts, {}] as [Texts, Lists]];
      return all.reduce((each, [text, list]) => replaced(each, text, list), step);
    });
}

/** A step that is a StepAction, as if the Task had it. */
function inlined(step: Step): Step {
  if (step.ref === undefined) return step;
  const { params, ...spec } = readStepAction(step.ref.name).spec;
  const given = Object.fromEntries((step.params ?? []).map(({ name, value }) => [name, value]));
  // What is given may be a variable of the Task, which comes next.
  const [texts, lists] = paramsOf(params, given);
  const { name, onError = 'stopAndFail', when = [] } = step;
  return { ...replaced({ ...spec, name }, texts, lists), onError, when };
}

/** What params stand for, by their variables. @throws {Error} as Tekton refuses them. */
export function paramsOf(
  declared: readonly Param[] = [],
  given: Readonly<Record<string, ParamValue>> = {},
): [Texts, Lists] {
  const unknown = Object.keys(given).filter((name) => !declared.some((each) => each.name === name));
  if (unknown.length > 0) throw new Error(`there are no params ${unknown.join(', ')}`);
  const texts: Record<string, string> = {};
  const lists: Record<string, readonly string[]> = {};
  for (const { name, type = 'string', default: usual } of declared) {
    const value = given[name] ?? usual;
    if (value === undefined) throw new Error(`missing values for these params: ${name}`);
    if ((typeof value === 'string') !== (type === 'string'))
      throw new Error(`param ${name} is no ${type}`);
    if (typeof value === 'string') texts[`params.${name}`] = value;
    else {
      lists[`params.${name}`] = value;
      value.forEach((item, at) => (texts[`params.${name}[${at}]`] = item));
    }
  }
  return [texts, lists];
}

function workspacesOf({ spec }: Task, { workspaces = {} }: TaskRunInput): Texts {
  const entries = (spec.workspaces ?? []).flatMap(({ name, optional }) => {
    const isBound = name in workspaces;
    if (!isBound && !optional) throw new Error(`workspace ${name} is not bound`);
    return [
      [`workspaces.${name}.path`, isBound ? `/workspace/${name}` : ''],
      [`workspaces.${name}.bound`, String(isBound)],
    ];
  });
  return Object.fromEntries(entries) as Texts;
}

function replaced(step: Step, texts: Texts, lists: Lists): Step {
  const text = (word: string): string => applyTexts(word, texts);
  return {
    ...step,
    ...(step.image ? { image: text(step.image) } : {}),
    command: (step.command ?? []).flatMap((word) => applyLists(word, texts, lists)),
    args: (step.args ?? []).flatMap((word) => applyLists(word, texts, lists)),
    env: (step.env ?? []).map(({ name, value }) => ({ name, value: text(value) })),
    when: (step.when ?? []).map(({ input, operator, values }) => ({
      input: text(input),
      operator,
      values: values.map(text),
    })),
  };
}

/** A text with its variables replaced. */
export function applyTexts(word: string, texts: Texts): string {
  return Object.entries(texts).reduce(
    (all, [key, value]) => all.replaceAll(`$(${key})`, value),
    word,
  );
}

/** An array stands for a whole word; an empty one for none. */
export function applyLists(word: string, texts: Texts, lists: Lists): readonly string[] {
  for (const [key, values] of Object.entries(lists)) {
    if (word === `$(${key})` || word === `$(${key}[*])`) return values;
  }
  return [applyTexts(word, texts)];
}

/** As a strategic merge: lists of mounts are joined, security contexts merged field by field. */
function merged(template: Omit<Step, 'name'>, step: Step): Step {
  return {
    ...template,
    ...step,
    volumeMounts: [...(template.volumeMounts ?? []), ...(step.volumeMounts ?? [])],
    securityContext: { ...template.securityContext, ...step.securityContext },
  };
}
