import { readTask } from './resources.ts';
import type { GivenParam, ParamValue, Pipeline } from './resources.ts';
import { applyLists, applyTexts, paramsOf } from './substitution.ts';
import type { Lists, TaskRunInput, Texts } from './substitution.ts';
import { runTask } from './task-run.ts';
import type { TaskRunEnd, TaskRunPlace } from './task-run.ts';

/** How a PipelineRun ended. */
export interface PipelineRunEnd {
  readonly succeeded: boolean;
  readonly results: Readonly<Record<string, string>>;
  /** By the name of the Pipeline's task; those that were run. */
  readonly tasks: Readonly<Record<string, TaskRunEnd>>;
}

/**
 * Runs the Tasks of a Pipeline, one after another, up to the first that fails; each gets results of
 * those before it.
 *
 * @param run.params Of the PipelineRun.
 */
export async function runPipeline(
  { spec }: Pipeline,
  run: TaskRunInput,
  place: TaskRunPlace,
): Promise<PipelineRunEnd> {
  const [texts, lists] = paramsOf(spec.params, run.params);
  const results: Record<string, string> = {};
  const tasks: Record<string, TaskRunEnd> = {};
  for (const { name, taskRef, params = [], workspaces = [] } of spec.tasks) {
    const bound = workspaces.flatMap((each) => {
      const volume = run.workspaces?.[each.workspace];
      return volume ? [[each.name, volume] as const] : [];
    });
    const input = {
      name: `${run.name}-${name}`,
      namespace: run.namespace,
      params: valuesOf(params, { ...texts, ...results }, lists),
      workspaces: Object.fromEntries(bound),
    };
    const end = await runTask(readTask(taskRef.name), input, place);
    tasks[name] = end;
    if (!end.succeeded) return { succeeded: false, results: {}, tasks };
    for (const [result, value] of Object.entries(end.results))
      results[`tasks.${name}.results.${result}`] = value;
  }
  const own = (spec.results ?? []).map(({ name, value }) => [name, applyTexts(value, results)]);
  return { succeeded: true, results: Object.fromEntries(own), tasks };
}

function valuesOf(
  params: readonly GivenParam[],
  texts: Texts,
  lists: Lists,
): Record<string, ParamValue> {
  return Object.fromEntries(
    params.map(({ name, value }) => [
      name,
      typeof value === 'string'
        ? applyTexts(value, texts)
        : value.flatMap((item) => applyLists(item, texts, lists)),
    ]),
  );
}
