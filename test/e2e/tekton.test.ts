import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { openCluster } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { programOf, referenceOf, sampleApp, versionAt } from '../support/sample-app.ts';
import { readSample, readTask } from '../support/tekton/resources.ts';
import type { ParamValue } from '../support/tekton/resources.ts';
import { runTask } from '../support/tekton/task-run.ts';
import type { TaskRunEnd } from '../support/tekton/task-run.ts';
import { describeTekton } from './tekton.ts';
import type { TektonWorld } from './tekton.ts';

let embedded: EmbeddedWorld;
let world: TektonWorld;

const run = (...words: readonly string[]): Promise<Buffer> =>
  reposureOk(words, { env: embedded.env });

const namespace = 'default';
const serviceAccount = readSample('reposure-install').spec.serviceAccountName ?? '';
const group = 'rbac.authorization.k8s.io';
/** Whoever installs holds every right that the operator gets; `edit` is what every cluster has. */
const administration = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: serviceAccount, namespace } },
  clusterRole('everything', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]),
  {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'everything' },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'everything' },
    subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
  },
  clusterRole('edit', [
    { apiGroups: ['apps'], resources: ['deployments', 'replicasets'], verbs: ['*'] },
    { apiGroups: [''], resources: ['configmaps', 'services'], verbs: ['*'] },
    { apiGroups: [''], resources: ['events', 'pods', 'pods/log'], verbs: ['get', 'list'] },
  ]),
];

function clusterRole(name: string, rules: readonly object[]) {
  return { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata: { name }, rules };
}

// The Task installs what the others work with.
beforeAll(async () => {
  embedded = await startEmbeddedWorld({ ...programOf('1'), ...programOf('crashing', 'crash') });
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

describe('reposure-deploy on the embedded cluster', () => {
  const manifests = {
    configMap: { name: 'manifests', items: [{ key: 'app', path: 'k8s/app.yaml' }] },
  };
  const start = (name: string, params: Readonly<Record<string, ParamValue>>): Promise<TaskRunEnd> =>
    runTask(
      readTask('reposure-deploy'),
      { name, namespace, params, workspaces: { source: manifests } },
      { kubernetes: world.kubernetes, serviceAccount },
    );

  beforeAll(async () => {
    const app = await readFile(join(sampleApp, 'k8s/app.yaml'), 'utf8');
    const metadata = { name: 'manifests', namespace };
    await world.kubernetes.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { app } });
  });

  it('runs the image by its digest, and says how much was changed', async () => {
    const image = `hello=${referenceOf('1')}`;
    const first = await start('deploy-1', { IMAGES: [image] });
    expect(first).toMatchObject({
      succeeded: true,
      results: { CHANGES: '2', REFERENCES: referenceOf('1') },
    });
    expect(await versionAt(world.kubernetes, namespace)).toBe('1');
    const again = await start('deploy-again', { IMAGES: [image], DRY_RUN: 'server' });
    expect(again).toMatchObject({ succeeded: true, results: { CHANGES: '0' } });
  });

  it.each([
    [
      'one that crashes',
      { IMAGES: [`hello=${referenceOf('crashing')}`] },
      /exit code 3[^]*Rolled back/,
    ],
    ['one that no manifest has', { IMAGES: [`goodbye=${referenceOf('1')}`] }, /goodbye/],
  ])('says what is wrong with %s, and leaves results empty', async (name, params, said) => {
    const title = name.replaceAll(' ', '-');
    const flags = { DEPLOY_EXTRA_ARGS: ['--fail-after=1s'] };
    const { logs, results, succeeded } = await start(title, { ...params, ...flags });
    expect(succeeded).toBe(false);
    expect(logs['deploy']).toMatch(said);
    expect(results).toEqual({ CHANGES: '', REFERENCES: '' });
    expect(await versionAt(world.kubernetes, namespace)).toBe('1');
  });
});

describe('a workspace kubeconfig', () => {
  let other: EmbeddedWorld;
  const there = (...words: readonly string[]): Promise<Buffer> =>
    reposureOk(words, { env: other.env });

  beforeAll(async () => {
    other = await startEmbeddedWorld();
    await there('operator', 'install', '--wait');
    await there('simple', 'install', '--tls', '--wait');
    await there('registry', 'create', 'default', '--provider=simple', '--wait');
    const newHere = (kind: string, name: string, rest: object): Promise<unknown> =>
      world.kubernetes.create({ apiVersion: 'v1', kind, metadata: { name, namespace }, ...rest });
    await newHere('ServiceAccount', 'stranger', {});
    await newHere('ConfigMap', 'greeting', { data: { 'hello.txt': 'hello\n' } });
    const stringData = { kubeconfig: other.cluster.kubeconfig };
    await newHere('Secret', 'other-cluster', { stringData });
  });

  afterAll(() => other.close());

  it('has an image pushed to a Registry of another cluster, by its surrogate', async () => {
    const { logs, results, succeeded } = await runTask(
      readTask('reposure-push'),
      {
        name: 'push-elsewhere',
        namespace,
        params: { IMAGE: 'team/app:elsewhere' },
        workspaces: {
          source: { configMap: { name: 'greeting' } },
          kubeconfig: { secret: { secretName: 'other-cluster' } },
        },
      },
      { kubernetes: world.kubernetes, serviceAccount: 'stranger' },
    );
    expect({ succeeded, logs }).toMatchObject({ succeeded: true });
    expect(logs['push']).toMatch(/by (?:proxy|exec): /);
    const list = (await there('image', 'list', 'default', '-o', 'json')).toString();
    expect(list).toContain(results['IMAGE_DIGEST']);
  });
});
