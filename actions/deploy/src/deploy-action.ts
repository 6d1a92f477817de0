import { readFile } from 'node:fs/promises';

import { forInputs, withCluster } from '@reposure/action-shared';
import type { Action, Done, Step } from '@reposure/action-shared';
import { deploy, parseImagePin, readManifests, RolloutError } from '@reposure/core/deploy';
import type { DeployResult, ImagePin, Manifest } from '@reposure/core/deploy';
import type { KubernetesClient } from '@reposure/core/kubernetes';

import { Inputs } from './inputs.ts';
import { secretsInManifests } from './manifest-secrets.ts';
import { outputsOf } from './outputs.ts';
import { causesOf, diffLines, summaryOf } from './summary.ts';

/** To say why something does not run, and to take it back, may take longer than it was given. */
const graceMs = 60_000;

/** `actions/deploy` */
export const deployAction: Action<Inputs> = {
  name: 'deploy',
  title: 'Deploy',
  inputs: Inputs,
  cancelled: 'what was applied stays, and the next run goes on with it',
  subjects: ({ manifests }) => manifests,
  causes: (error) => (error instanceof RolloutError ? causesOf(error) : undefined),
  main: async (inputs, step): Promise<Done> => {
    // What can be wrong on this side is found before the cluster is asked.
    const [images, manifests] = await read(inputs);
    // An application that fails may have its own secrets in the end of its log, which is repeated.
    for (const secret of secretsInManifests(manifests)) step.mask(secret);
    const result = await withCluster(
      inputs,
      step,
      (cluster, signal) =>
        step.group('Deploy', () =>
          deployTo(cluster, { images, manifests }, inputs, { ...step, signal }),
        ),
      { graceMs },
    );
    return { outputs: outputsOf(result), summary: summaryOf(result) };
  },
};

const readText = (path: string): Promise<string> => readFile(path, 'utf8');

async function read({
  images = [],
  manifests,
}: Inputs): Promise<[images: ImagePin[], manifests: Manifest[]]> {
  return [
    await forInputs(['images'], () =>
      Promise.all(images.map((image) => parseImagePin(image, readText))),
    ),
    await forInputs(['manifests'], () => readManifests(manifests)),
  ];
}

async function deployTo(
  cluster: KubernetesClient,
  { images, manifests }: { readonly images: ImagePin[]; readonly manifests: Manifest[] },
  inputs: Inputs,
  { log, signal }: Step,
): Promise<DeployResult> {
  const result = await forInputs(['manifests', ...(images.length > 0 ? ['images'] : [])], () =>
    deploy(cluster, manifests, {
      namespace: inputs.namespace ?? cluster.namespace,
      images,
      imagePaths: inputs['image-paths'],
      set: inputs.set,
      prune: inputs.prune,
      createNamespace: inputs['create-namespace'],
      forceConflicts: inputs['force-conflicts'],
      dryRun: inputs['dry-run'],
      wait: inputs.wait,
      rollback: inputs.rollback,
      timeoutMs: inputs.timeout,
      stuckAfterMs: inputs['fail-after'],
      log,
      signal,
    }),
  );
  for (const line of diffLines(result)) log.info(line);
  return result;
}
