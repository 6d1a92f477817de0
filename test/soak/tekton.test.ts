import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { KubernetesObject } from '@reposure/core/kubernetes';
import { resourceTypes } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

import { stepActionResults, stepActionTask } from '../e2e/step-actions.ts';
import { writeDockerArchive } from '../support/docker-archive.ts';
import { startRealWorld } from '../support/real-world.ts';
import type { RealWorld } from '../support/real-world.ts';
import { sampleApp, versionAt } from '../support/sample-app.ts';
import { installTekton } from '../support/tekton/controller.ts';
import type { Tekton } from '../support/tekton/controller.ts';
import { tool } from '../support/tools.ts';

/**
 * A checkout of github.com/tektoncd/pipeline with its programs in `bin/`:
 * `CGO_ENABLED=0 go build -o bin/ ./cmd/{controller,webhook,resolvers,entrypoint,nop,workingdirinit}`.
 */
const { KUBECONFIG, TEKTON_PIPELINE: source = '' } = process.env;
const builder = 'docker.io/library/buildah:debian'; // as .ci/load-buildah packs it
const tasks = fileURLToPath(new URL('../../tekton-tasks', import.meta.url));
const examples = fileURLToPath(new URL('../../examples/pipelines/tekton', import.meta.url));

interface Run extends KubernetesObject {
  spec: { params?: { name: string; value: unknown }[] } & Record<string, unknown>;
  status?: {
    conditions?: { status: string; reason: string; message: string }[];
    results?: { name: string; value: string }[];
    steps?: object[];
    childReferences?: { name: string }[];
  };
}

// The harness of the other tests is a copy of what Tekton does; here Tekton does it.
describe.skipIf(!KUBECONFIG || !source)('Tasks on the controller of Tekton', () => {
  let world: RealWorld;
  let tekton: Tekton;
  let folder: string;
  let pushHost: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tekton-controller-'));
    world = await startRealWorld();
    await world.run('operator', 'install', '--wait');
    await world.run('simple', 'install', '--node-port', '--wait');
    await world.run('registry', 'create', 'default', '--provider=simple', '--wait');
    tekton = await installTekton(world, source, folder);
    const built = join(folder, 'tasks.yaml');
    await tool('sh', '-c', `kubectl kustomize '${tasks}' > '${built}'`);
    await world.run('deploy', '-f', built);
    await createFiles();
    await createAccount();
    pushHost = (await world.run('registry', 'info', 'default', 'push-host')).toString().trim();
  });

  afterAll(async () => {
    await tekton?.remove();
    await world.close();
    await rm(folder, { recursive: true, force: true });
  });

  const create = (apiVersion: string, kind: string, name: string, rest: object): Promise<unknown> =>
    world.kubernetes.create({
      apiVersion,
      kind,
      metadata: { name, namespace: world.namespace },
      ...rest,
    });
  const textOf = (path: string): Promise<string> => readFile(join(sampleApp, path), 'utf8');

  async function createFiles(): Promise<void> {
    const { path } = await writeDockerArchive(join(folder, 'app.tar'), ['hello\n']);
    await create('v1', 'ConfigMap', 'app', {
      binaryData: { 'app.tar': (await readFile(path)).toString('base64') },
      data: {
        'hello.txt': 'hello\n',
        'settings.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n',
      },
    });
    const data = {
      Dockerfile: await textOf('Dockerfile'),
      'server.mjs': await textOf('server.mjs'),
      'app.yaml': await textOf('k8s/app.yaml'),
    };
    await create('v1', 'ConfigMap', 'hello-source', { data });
    const base = join(folder, 'base.tar');
    await tool(process.execPath, join(sampleApp, 'build.ts'), '--to', `oci-archive:${base}`);
    await world.run('image', 'push', 'default', 'base/node:24', base);
  }

  async function createAccount(): Promise<void> {
    await create('v1', 'ServiceAccount', 'pipeline', {});
    const role = await world.run('registry', 'role', 'default', '--direct', '-o', 'json');
    const { metadata } = await world.kubernetes.apply(JSON.parse(role.toString()));
    const group = 'rbac.authorization.k8s.io';
    for (const [kind, name] of [
      ['Role', metadata.name],
      ['ClusterRole', 'edit'],
    ] as const) {
      await create(`${group}/v1`, 'RoleBinding', `pipeline-${name}`, {
        roleRef: { apiGroup: group, kind, name },
        subjects: [{ kind: 'ServiceAccount', name: 'pipeline', namespace: world.namespace }],
      });
    }
  }

  /** Starts what a file shows, with what only the test knows, and waits for its end. */
  async function run(shown: Run, params: Readonly<Record<string, unknown>> = {}) {
    const { kubernetes, namespace } = world;
    const name = `run-${performance.now().toFixed(0)}`;
    const kept = (shown.spec.params ?? []).filter((each) => !(each.name in params));
    const given = Object.entries(params).map(([param, value]) => ({ name: param, value }));
    const spec = { ...shown.spec, params: [...kept, ...given] };
    await kubernetes.create({ ...shown, metadata: { name, namespace }, spec });
    const type = await kubernetes.typeOf(shown);
    for (;;) {
      const { status } = await kubernetes.get<Run>(type, name, namespace);
      const [condition] = status?.conditions ?? [];
      if (condition && condition.status !== 'Unknown') {
        const results = (status?.results ?? []).map((each) => [each.name, each.value]);
        return { condition, results: Object.fromEntries(results), steps: status?.steps };
      }
      await delay(200);
    }
  }
  const readRun = async (path: string): Promise<Run> =>
    parse(await readFile(path, 'utf8'), { version: '1.1' }) as Run;
  const sample = (name: string): Promise<Run> =>
    readRun(join(tasks, 'task', name, 'samples', `${name}.yaml`));
  const succeeded = expect.objectContaining({ status: 'True' });

  it('runs the samples: results as they are declared, and a refusal', async () => {
    const pushed = await run(await sample('reposure-push'));
    expect(pushed.condition).toEqual(succeeded);
    const { IMAGE_DIGEST: DIGEST } = pushed.results;
    expect(pushed.results).toEqual({
      IMAGE_URL: `${pushHost}/team/app:1.2.3`,
      IMAGE_DIGEST: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      IMAGE_REF: `${pushHost}/team/app@${DIGEST}`,
      IMAGE_PULL_REF: expect.stringMatching(/^localhost:\d+\/team\/app@sha256:/),
    });
    const copied = await run(await sample('reposure-copy'), { DIGEST });
    expect(copied).toMatchObject({ condition: succeeded, results: { PREVIOUS_DIGEST: '' } });
    const pulled = await run(await sample('reposure-pull'));
    expect(pulled).toMatchObject({
      condition: succeeded,
      results: { SOURCE_ARTIFACT: expect.stringMatching(/^oci:/) },
    });
    const refused = await run(await sample('reposure-copy'));
    expect(refused.condition).toMatchObject({ status: 'False', reason: 'Failed' });
  });

  it('runs StepActions by reference, and goes on after one that may fail', async () => {
    await world.kubernetes.create({
      ...stepActionTask,
      metadata: { ...stepActionTask.metadata, namespace: world.namespace },
    });
    const end = await run(
      {
        apiVersion: 'tekton.dev/v1',
        kind: 'TaskRun',
        metadata: { name: '' },
        spec: {
          serviceAccountName: 'pipeline',
          taskRef: { name: 'step-actions' },
          workspaces: [{ name: 'source', configMap: { name: 'app' } }],
        },
      },
      { ROUTE: 'auto' },
    );
    expect(end.condition).toEqual(succeeded);
    expect(end.results).toEqual(stepActionResults(end.results['DIGEST'] ?? ''));
  });

  it('runs a Task out of a bundle', async () => {
    const file = join(tasks, 'task/reposure-push/reposure-push.yaml');
    await world.run('bundle', 'push', 'default', 'team/tasks:1', file);
    const { spec } = await world.kubernetes.get<KubernetesObject & { spec: { clusterIP: string } }>(
      resourceTypes.Service,
      'reposure-simple',
      world.namespace,
    );
    const shown = await sample('reposure-push');
    const bundle = `${spec.clusterIP}:5000/team/tasks:1`; // as the resolver takes plain HTTP: by its address
    const taskRef = {
      resolver: 'bundles',
      params: [
        { name: 'bundle', value: bundle },
        { name: 'name', value: 'reposure-push' },
        { name: 'kind', value: 'task' },
        { name: 'serviceAccount', value: 'pipeline' },
      ],
    };
    const end = await run({ ...shown, spec: { ...shown.spec, taskRef } });
    expect(end.condition).toEqual(succeeded);
  });

  it('builds, promotes and deploys by the example, and then to the next stage', async () => {
    for (const each of parseAllDocuments(await readFile(join(examples, 'promote.yaml'), 'utf8'))) {
      const pipeline = each.toJS() as KubernetesObject;
      const metadata = { ...pipeline.metadata, namespace: world.namespace };
      await world.kubernetes.create({ ...pipeline, metadata });
    }
    const here = { TARGET_NAMESPACE: '' };
    const released = await run(await readRun(join(examples, 'release.yaml')), {
      ...here,
      BUILDER_IMAGE: builder,
      TLS_VERIFY: 'false',
      BUILD_ARGS: [`BASE=${pushHost}/base/node:24`, 'APP_VERSION=7.0.0'],
    });
    expect(released.condition).toEqual(succeeded);
    expect(released.results['CHANGES']).toBe('2');
    expect(await versionAt(world.kubernetes, world.namespace)).toBe('7.0.0');
    const { IMAGE_DIGEST: DIGEST } = released.results;
    const promoted = await run(await readRun(join(examples, 'promote-to-prod.yaml')), {
      ...here,
      DIGEST,
    });
    expect(promoted).toMatchObject({ condition: succeeded, results: { IMAGE_DIGEST: DIGEST } });
  });
});
