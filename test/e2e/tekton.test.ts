import { openCluster } from '@reposure/core/kubernetes';
import { afterAll, beforeAll } from 'vitest';

import { reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { readTask } from '../support/tekton/resources.ts';
import { runTask } from '../support/tekton/task-run.ts';
import { describeTekton } from './tekton.ts';
import type { TektonWorld } from './tekton.ts';

let embedded: EmbeddedWorld;
let world: TektonWorld;

const run = (...words: readonly string[]): Promise<Buffer> =>
  reposureOk(words, { env: embedded.env });

const namespace = 'default';
const serviceAccount = 'installer';
const group = 'rbac.authorization.k8s.io';
/** Whoever installs holds every right that the operator gets. */
const administration = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: serviceAccount, namespace } },
  {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'everything' },
    rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
  },
  {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'everything' },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'everything' },
    subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
  },
];

// The Task installs what the others work with.
beforeAll(async () => {
  embedded = await startEmbeddedWorld();
  const kubernetes = await openCluster({ kubeconfig: embedded.env['KUBECONFIG'] });
  // Its Pods are processes that have a kubeconfig, so that none of them is "inside".
  world = { kubernetes, namespace, route: 'direct', run };
  for (const object of administration) await kubernetes.apply(object);
  const params = { SIMPLE_ARGS: ['--tls', '--login', '--node-port'] };
  const input = { name: 'install', namespace, params };
  const end = await runTask(readTask('reposure-install'), input, { kubernetes, serviceAccount });
  if (!end.succeeded) throw new Error(JSON.stringify(end.logs));
});

afterAll(async () => {
  world.kubernetes.close();
  await embedded.close();
});

describeTekton('the embedded cluster', () => world);
