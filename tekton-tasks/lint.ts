/** A Task, StepAction or Pipeline as it was parsed. */
export interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Spec;
}

interface Named {
  readonly name: string;
  readonly type?: string;
  readonly default?: unknown;
}

interface Step {
  readonly name?: string;
  readonly ref?: unknown;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly script?: string;
  readonly volumeMounts?: unknown;
  readonly results?: readonly Named[];
}

interface Spec extends Step {
  readonly params?: readonly Named[];
  readonly workspaces?: readonly Named[];
  readonly results?: readonly Named[];
  readonly steps?: readonly Step[];
  readonly tasks?: readonly PipelineTask[];
}

/** A Task as a Pipeline calls it. */
interface PipelineTask extends Named {
  readonly taskRef?: { readonly name: string };
  readonly params?: readonly {
    readonly name: string;
    readonly value: string | readonly string[];
  }[];
  readonly workspaces?: readonly Named[];
}

/**
 * What schemas cannot see in a Task, a StepAction or a Pipeline.
 *
 * @returns One clause for each mistake; none if there is none.
 * @see https://github.com/tektoncd/pipeline/blob/v1.9.0/docs/variables.md
 */
export function lint(resource: Resource): string[] {
  const { kind, spec } = resource;
  const problems = [...undefinedNames(resource), ...misplacedArrays(spec)];
  if (kind === 'Task') {
    for (const step of spec.steps ?? []) {
      problems.push(...stepProblems(step), ...unwritten(step.results, [step], '$(step.results.'));
    }
    problems.push(...unwritten(spec.results, spec.steps ?? [], '$(results.'));
  }
  if (kind === 'StepAction') {
    problems.push(
      ...stepProblems({ ...spec, name: resource.metadata.name, volumeMounts: undefined }),
    );
    problems.push(...unwritten(spec.results, [spec], '$(step.results.'));
    if (JSON.stringify(spec).includes('$(workspaces.'))
      problems.push('a StepAction has no workspaces');
  }
  return problems;
}

function undefinedNames({ spec }: Resource): string[] {
  const text = JSON.stringify(spec);
  const known: Readonly<Record<string, readonly Named[] | undefined>> = {
    params: spec.params,
    workspaces: spec.workspaces,
    results: spec.results,
    tasks: spec.tasks,
    steps: (spec.steps ?? []).map(({ name = '' }) => ({ name })),
  };
  const problems: string[] = [];
  for (const [, kind = '', name = ''] of text.matchAll(/\$\((\w+)\.([\w-]+)/g)) {
    if (!Object.hasOwn(known, kind)) continue;
    if (!known[kind]?.some((each) => each.name === name))
      problems.push(`${kind}.${name} is not defined`);
  }
  return [...new Set(problems)];
}

/** An array stands alone, as one word of command, args or an array, and a text is no array. */
function misplacedArrays(spec: Spec): string[] {
  const arrays = new Set(
    (spec.params ?? []).filter(({ type }) => type === 'array').map(({ name }) => name),
  );
  const items = (spec.tasks ?? []).flatMap(({ params = [] }) => params.flatMap(itemsOf));
  const words = [...(spec.steps ?? [spec]).flatMap(wordsOf), ...items];
  const allowed = new Set(words.filter((word) => /^\$\(params\.[\w-]+\[\*\]\)$/.test(word)));
  const elsewhere = JSON.stringify(spec)
    .split('"')
    .filter((word) => !allowed.has(word));
  const problems: string[] = [];
  for (const word of elsewhere) {
    for (const [, name = ''] of word.matchAll(/\$\(params\.([\w-]+)(?:\[\*\])?\)/g)) {
      if (arrays.has(name))
        problems.push(`the array params.${name} is no word of its own in "${word}"`);
    }
  }
  for (const word of allowed) {
    const name = word.slice('$(params.'.length, -'[*])'.length);
    if (!arrays.has(name)) problems.push(`params.${name} is no array`);
  }
  return problems;
}

function wordsOf({ command = [], args = [] }: Step): readonly string[] {
  return command.concat(args);
}

function itemsOf({ value }: { readonly value: string | readonly string[] }): readonly string[] {
  return typeof value === 'string' ? [] : value;
}

/**
 * What does not fit between a Pipeline and the Tasks that it calls.
 *
 * @param taskNamed Throws if there is none.
 */
export function lintCalls(
  { spec }: Resource,
  taskNamed: (name: string) => Pick<Resource, 'spec'>,
): string[] {
  const calls = spec.tasks ?? [];
  const called = new Map(
    calls.map((call) => [call.name, taskNamed(call.taskRef?.name ?? call.name).spec]),
  );
  const problems = calls.flatMap((call) => callProblems(call, called.get(call.name) ?? {}));
  for (const [, call = '', result = ''] of JSON.stringify(spec).matchAll(
    /\$\(tasks\.([\w-]+)\.results\.([\w-]+)/g,
  )) {
    if (!called.get(call)?.results?.some(({ name }) => name === result))
      problems.push(`tasks.${call} has no result ${result}`);
  }
  return [...new Set(problems)];
}

function callProblems({ name, params = [], workspaces = [] }: PipelineTask, task: Spec): string[] {
  const problems = (task.params ?? [])
    .filter(
      (each) => each.default === undefined && !params.some((given) => given.name === each.name),
    )
    .map((each) => `${name} is not given ${each.name}`);
  for (const { name: given, value } of params) {
    const declared = task.params?.find((each) => each.name === given);
    if (!declared) problems.push(`${name} has no param ${given}`);
    else if (typeof value === 'string' && declared.type === 'array')
      problems.push(`${name} wants ${given} as an array`);
  }
  for (const { name: given } of workspaces) {
    if (!task.workspaces?.some((each) => each.name === given))
      problems.push(`${name} has no workspace ${given}`);
  }
  return problems;
}

function stepProblems(step: Step): string[] {
  const { name, ref, command = [], script = '', volumeMounts } = step;
  const called = `step ${name ?? '(without a name)'}`;
  const problems: string[] = [];
  if (name === undefined) problems.push(`${called} wants one`);
  if (ref !== undefined && volumeMounts !== undefined)
    problems.push(`${called} has ref and volumeMounts`);
  // Without it, the controller asks the registry, and fails where it does not trust that.
  if (ref === undefined && command.length === 0 && script === '')
    problems.push(`${called} has no command`);
  if (/\$\((?:params|workspaces|results|context|steps|tasks)\./.test(script)) {
    problems.push(`${called} has its script written by whoever starts it: want env`);
  }
  return problems;
}

function unwritten(
  results: readonly Named[] | undefined,
  steps: readonly Step[],
  prefix: string,
): string[] {
  const text = JSON.stringify(
    steps.map(({ command, args, script }) => ({ command, args, script })),
  );
  return (results ?? [])
    .filter(({ name }) => !text.includes(`${prefix}${name}.path)`))
    .map(({ name }) => `result ${name} is never written`);
}
