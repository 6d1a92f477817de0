import {
  clusterInputs,
  duration,
  flag,
  linesOf,
  optional,
  parsedBy,
  required,
  summaryInput,
  text,
  timeoutInput,
  withDefault,
  wordsOf,
} from '@reposure/action-shared';
import { InputError } from '@reposure/core';
import { parseImagePath } from '@reposure/core/deploy';
import * as z from 'zod';

/** The inputs of this step. */
export const Inputs = z
  .object({
    manifests: required(
      'What is applied: files, and folders with all below them; one in each line; "#" begins a comment',
      parsedBy(parsePaths),
    ),
    images: optional(
      'What the manifests run: NAME=HOST/REPOSITORY@DIGEST goes wherever they have the image NAME, NAME=@FILE with the result of `reposure image push -o json`; several by lines, commas or spaces',
      parsedBy(wordsOf),
    ),
    'image-paths': optional(
      'Where a custom kind names images, e.g. Rollout.argoproj.io=spec.template.spec.containers[*].image; several as above',
      parsedBy((paths) => wordsOf(paths).map(parseImagePath)),
    ),
    ...clusterInputs,
    namespace: optional("Of objects that name none; the kubeconfig context's own by default", text),
    'create-namespace': withDefault('false', 'Make namespaces that do not exist', flag),
    set: optional('What is deployed belongs to this set, which a ConfigMap remembers', text),
    prune: withDefault('false', 'Delete what is in the set, and no longer in the manifests', flag),
    'force-conflicts': withDefault('false', 'Take over fields that other field managers own', flag),
    'dry-run': withDefault(
      'false',
      'Ask the cluster what would change, show it, and change nothing',
      flag,
    ),
    wait: withDefault('true', 'Succeed only when everything runs', flag),
    rollback: withDefault('false', 'If it does not run, take back what was applied', flag),
    'fail-after': withDefault(
      '20s',
      'How long a Pod may fail to pull or to start before it counts as failed',
      duration,
    ),
    timeout: timeoutInput('5m'),
    summary: summaryInput,
  })
  .check(({ value: { prune, set }, issues }) => {
    if (!prune || set !== undefined) return;
    const message = 'wants the input "set", which says what was deployed before';
    issues.push({ code: 'custom', path: ['prune'], message, input: prune });
  });
export type Inputs = z.infer<typeof Inputs>;

function parsePaths(value: string): string[] {
  const paths = linesOf(value);
  if (paths.length === 0) throw new InputError('is required');
  if (paths.includes('-')) throw new InputError('wants files or folders, and no standard input');
  return paths;
}
