import type { DeployResult } from '@reposure/core/deploy';

/** What the step hands on, by the names of `action.yml`. */
export function outputsOf({ images, objects }: DeployResult): Record<string, string> {
  const isChanged = objects.some(({ change }) => change !== 'unchanged' && change !== 'kept');
  const byName = images.map(({ name, reference }) => [name, reference] as const);
  return {
    changed: String(isChanged),
    // Without diffs, which would fill a job's outputs.
    objects: JSON.stringify(objects.map((object) => ({ ...object, diff: undefined }))),
    images: JSON.stringify(Object.fromEntries(byName)),
  };
}
