import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { describeTekton } from '../e2e/tekton.ts';
import { startRealWorld } from '../support/real-world.ts';
import type { RealWorld } from '../support/real-world.ts';
import { sampleApp, versionAt } from '../support/sample-app.ts';
import { readExample, readExampleRun } from '../support/tekton/examples.ts';
import { runPipeline } from '../support/tekton/pipeline-run.ts';
import type { PipelineRunEnd } from '../support/tekton/pipeline-run.ts';
import { readPipeline, readSample, readTask } from '../support/tekton/resources.ts';
import type { ParamValue, PipelineRun } from '../support/tekton/resources.ts';
import { runTask } from '../support/tekton/task-run.ts';
import { triggered } from '../support/tekton/triggers.ts';
import { tool } from '../support/tools.ts';

let world: RealWorld;

const builder = 'docker.io/library/buildah:debian'; // as .ci/load-buildah packs it
// A user that the image does not know, without a home.
const securityContext = { runAsUser: 1_234_567, runAsGroup: 0, fsGroup: 1_234_567 };
const group = 'rbac.authorization.k8s.io';
const installer = readSample('reposure-install').spec.serviceAccountName ?? '';

/** As the README of the Task has it. */
const clusterAdmin = () => ({
  apiVersion: `${group}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: { name: `${installer}-${world.namespace}` },
  roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ kind: 'ServiceAccount', name: installer, namespace: world.namespace }],
});

const newObject = (apiVersion: string, kind: string, name: string, rest: object = {}) =>
  world.kubernetes.create({
    apiVersion,
    kind,
    metadata: { name, namespace: world.namespace },
    ...rest,
  });

beforeAll(async () => {
  world = await startRealWorld();
  const { kubernetes, namespace } = world;
  await newObject('v1', 'ServiceAccount', installer);
  await kubernetes.create(clusterAdmin());
  const params = { SIMPLE_ARGS: ['--tls', '--login', '--node-port'] };
  const input = { name: 'install', namespace, params };
  const place = { kubernetes, serviceAccount: installer, securityContext };
  const end = await runTask(readTask('reposure-install'), input, place);
  if (!end.succeeded) throw new Error(JSON.stringify(end.logs));
});

afterAll(async () => {
  await world.kubernetes.delete(
    await world.kubernetes.typeOf(clusterAdmin()),
    clusterAdmin().metadata.name,
  );
  await world.close();
});

describeTekton('a real cluster', () => ({ ...world, route: 'auto', securityContext }), [builder]);

describe('examples/pipelines/tekton on a real cluster', () => {
  let folder: string;
  let prod: string;
  let released: PipelineRunEnd;
  /** What only this cluster knows: its base image, and how it is trusted. */
  let base: string;

  const run = (shown: PipelineRun, params: Readonly<Record<string, ParamValue>>) => {
    const { spec } = shown;
    const given = (spec.params ?? []).map(({ name, value }) => [name, value] as const);
    const volumes = (spec.workspaces ?? []).map(({ name, ...volume }) => [name, volume] as const);
    const { kubernetes, namespace } = world;
    const input = {
      name: `${spec.pipelineRef.name}-${performance.now().toFixed(0)}`,
      namespace,
      params: { ...Object.fromEntries(given), ...params },
      workspaces: {
        ...Object.fromEntries(volumes),
        dockerconfig: { secret: { secretName: 'reposure-simple-login' } },
        'ssl-ca-directory': { configMap: { name: 'registry-ca' } },
      },
    };
    const serviceAccount = spec.taskRunTemplate.serviceAccountName;
    const { name } = spec.pipelineRef;
    const pipeline = name === 'promote-deploy' ? readExample('promote.yaml') : readPipeline(name);
    return runPipeline(pipeline, input, { kubernetes, serviceAccount, securityContext });
  };
  const bind = async (namespace: string): Promise<void> => {
    await world.kubernetes.create({
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'pipeline', namespace },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'ServiceAccount', name: 'pipeline', namespace: world.namespace }],
    });
    const words = ['--for-namespace', namespace, '--service-account', 'default'];
    await world.run('registry', 'pull-secret', 'default', ...words);
  };
  const textOf = (path: string): Promise<string> => readFile(join(sampleApp, path), 'utf8');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tekton-example-'));
    prod = `${world.namespace}-prod`;
    const metadata = { name: prod };
    await world.kubernetes.create({ apiVersion: 'v1', kind: 'Namespace', metadata });
    await bind(prod);
    await bind(world.namespace);
    const data = {
      Dockerfile: await textOf('Dockerfile'),
      'server.mjs': await textOf('server.mjs'),
      'app.yaml': await textOf('k8s/app.yaml'),
    };
    await newObject('v1', 'ConfigMap', 'hello-source', { data });
    const archive = join(folder, 'base.tar');
    await tool(process.execPath, join(sampleApp, 'build.ts'), '--to', `oci-archive:${archive}`);
    await world.run('image', 'push', 'default', 'base/node:24', archive);
    const info = (what: string): Promise<Buffer> => world.run('registry', 'info', 'default', what);
    base = `BASE=${(await info('push-host')).toString().trim()}/base/node:24`;
    const certificate = (await info('cert')).toString();
    await newObject('v1', 'ConfigMap', 'registry-ca', { data: { 'ca.crt': certificate } });
  });

  afterAll(async () => {
    await world.kubernetes.delete(resourceTypes.Namespace, prod);
    await rm(folder, { recursive: true, force: true });
  });

  it('release.yaml: builds, promotes and deploys; the new version answers, from its digest', async () => {
    released = await run(readExampleRun('release.yaml'), {
      BUILDER_IMAGE: builder,
      BUILD_ARGS: [base, 'APP_VERSION=1.0.0'],
      TARGET_NAMESPACE: world.namespace,
    });
    expect(released).toMatchObject({ succeeded: true });
    expect(await versionAt(world.kubernetes, world.namespace)).toBe('1.0.0');
    expect(await imageOf(world.namespace)).toBe(released.results['IMAGE_PULL_REF']);
  });

  it('triggers.yaml: releases source that was pushed as an artifact', async () => {
    const file = join(folder, 'artifact');
    await world.run('artifact', 'create', 'default', 'team/source:2', `${file}=${sampleApp}`);
    const body = { artifact: await readFile(file, 'utf8'), version: '2.0.0' };
    const [shown] = triggered('triggers.yaml', body) as [PipelineRun];
    const end = await run(shown, {
      BUILDER_IMAGE: builder,
      BUILD_ARGS: [base, 'APP_VERSION=2.0.0'],
      TARGET_NAMESPACE: world.namespace,
    });
    expect(end).toMatchObject({ succeeded: true });
    expect(await versionAt(world.kubernetes, world.namespace)).toBe('2.0.0');
  });

  it('promote-to-prod.yaml: deploys the digest that was tested, or nothing', async () => {
    const shown = readExampleRun('promote-to-prod.yaml');
    const { IMAGE_DIGEST: DIGEST = '' } = released.results;
    const late = await run(shown, { DIGEST, TARGET_NAMESPACE: prod });
    expect(late.succeeded).toBe(false);
    expect(late.tasks['promote']?.logs['copy']).toMatch(/Nothing was written/);
    const FROM = 'team/hello:1.0.0';
    const promoted = await run(shown, { FROM, DIGEST, TARGET_NAMESPACE: prod });
    expect(promoted).toMatchObject({ succeeded: true, results: { IMAGE_DIGEST: DIGEST } });
    expect(await versionAt(world.kubernetes, prod)).toBe('1.0.0');
  });

  async function imageOf(namespace: string): Promise<string | undefined> {
    type Deployment = KubernetesObject & {
      spec: { template: { spec: { containers: { image: string }[] } } };
    };
    const found = await world.kubernetes.get<Deployment>(
      resourceTypes.Deployment,
      'hello',
      namespace,
    );
    return found.spec.template.spec.containers[0]?.image;
  }
});
