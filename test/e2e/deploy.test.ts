import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { DeployResult } from '@reposure/core/deploy';
import { openCluster, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reposure, reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { programOf, referenceOf, sampleApp, versionAt } from '../support/sample-app.ts';
import type { Finished } from '../support/tools.ts';

let world: EmbeddedWorld;
let kubernetes: KubernetesClient;
let folder: string;
const manifest = join(sampleApp, 'k8s', 'app.yaml');

beforeAll(async () => {
  world = await startEmbeddedWorld({
    ...programOf('1'),
    ...programOf('2'),
    ...programOf('crashing', 'crash'),
    ...programOf('unready', 'ready'),
  });
  kubernetes = await openCluster({ kubeconfig: world.env['KUBECONFIG'] });
  folder = await mkdtemp(join(tmpdir(), 'deploy-'));
});

afterAll(async () => {
  kubernetes.close();
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (...words: string[]): Promise<Finished> =>
  reposure(['deploy', ...words], { env: world.env });
const deployed = async (...words: string[]): Promise<DeployResult> =>
  JSON.parse((await reposureOk(['deploy', ...words, '-o', 'json'], { env: world.env })).toString());
const changesOf = ({ objects }: DeployResult): string[] =>
  objects.map(({ kind, name, change }) => `${kind} ${name} ${change}`);
const file = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};
/** What a Pod of the application answers. */
const answer = (namespace = 'default'): Promise<string> => versionAt(kubernetes, namespace);

describe('reposure deploy', () => {
  it('applies manifests with the image by digest, and returns when they run', async () => {
    const result = await deployed('-f', manifest, '--image', `hello=${referenceOf('1')}`);
    expect(changesOf(result)).toEqual(['Service hello created', 'Deployment hello created']);
    expect(result).toMatchObject({ waited: true, images: [{ reference: referenceOf('1') }] });
    expect(await answer()).toBe('1');
  });

  it('shows what would change, and changes nothing', async () => {
    const { status, stdout } = await run(
      '-f',
      manifest,
      '--image',
      `hello=${referenceOf('2')}`,
      '--dry-run=server',
    );
    expect(status).toBe(0);
    expect(stdout.toString()).toContain(
      `-           image: ${referenceOf('1')}\n+           image: ${referenceOf('2')}`,
    );
    expect(stdout.toString()).toMatch(/default\/service\/hello +unchanged/);
    expect(await answer()).toBe('1');
  });

  it.each([
    [
      'an image that cannot be pulled',
      'absent',
      /cannot pull registry\.test:5000\/team\/hello-absent@sha256:\w+: the embedded cluster runs only these/,
    ],
    [
      'one that crashes',
      'crashing',
      /container hello of Pod hello-\S+ ended with exit code 3, \d+ times; the end of its log: Cannot read \/etc\/hello\/settings\.json/,
    ],
    [
      'one that never becomes ready',
      'unready',
      /runs, but is not ready: Readiness probe failed: .*503.*; the end of its log: hello unready listens on 8080/,
    ],
  ])(
    '%s: names the cause and rolls back, while the old version answers',
    async (_, version, cause) => {
      const counts = { answered: 0, failed: 0 };
      const over = new AbortController();
      const asking = (async () => {
        while (!over.signal.aborted) {
          await answer().then(
            (said) => (said === '1' ? (counts.answered += 1) : (counts.failed += 1)),
            () => (counts.failed += 1),
          );
        }
      })();
      const { status, stderr, stdout } = await run(
        '-o',
        'json',
        '-f',
        manifest,
        '--image',
        `hello=${referenceOf(version)}`,
        '--rollback',
        '--timeout',
        version === 'unready' ? '5s' : '60s',
        '--fail-after',
        '1s',
      );
      over.abort();
      await asking;
      expect(stderr).toMatch(cause);
      expect(stderr).toContain('Rolled back: Deployment default/hello');
      expect(status).toBe(1);
      expect(JSON.parse(stdout.toString())).toMatchObject({
        waited: false,
        failures: [{ object: 'Deployment default/hello', reason: expect.stringMatching(cause) }],
        rollback: { state: 'done', objects: ['Deployment default/hello'] },
      });
      expect(counts).toMatchObject({ failed: 0 });
      expect(counts.answered).toBeGreaterThan(10);
      const there = await kubernetes.get<KubernetesObject>(resourceTypes.Deployment, 'hello');
      expect(JSON.stringify(there['spec'])).toContain(referenceOf('1'));
    },
  );

  it('deletes what is no longer in the set, except for claims', async () => {
    const configMap = (name: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n---\n`;
    const claim = `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: images}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n`;
    const both = await file('both.yaml', `${configMap('one')}${configMap('two')}${claim}`);
    const one = await file('one.yaml', configMap('one'));
    await deployed('-f', both, '--set', 'shop', '--prune');
    const dryRun = await deployed('-f', one, '--set', 'shop', '--prune', '--dry-run');
    const result = await deployed('-f', one, '--set', 'shop', '--prune');
    const expected = [
      'ConfigMap one unchanged',
      'ConfigMap two pruned',
      'PersistentVolumeClaim images kept',
    ];
    expect(changesOf(dryRun)).toEqual(expected);
    expect(changesOf(result)).toEqual(expected);
    expect(await kubernetes.find(resourceTypes.ConfigMap, 'two')).toBeUndefined();
    expect(await kubernetes.find(resourceTypes.PersistentVolumeClaim, 'images')).toBeDefined();
    // The same name for something else is somebody else's.
    const taken = await run('-f', one, '--set', 'one');
    expect(taken).toMatchObject({ status: 2, stderr: expect.stringContaining('is no set') });
  });

  it('applies a namespace, a definition and its objects in one go, with images by path', async () => {
    const all = await file(
      'all.yaml',
      `
apiVersion: example.test/v1
kind: Tool
metadata: {name: hammer, namespace: tools}
spec: {steps: [{image: hello}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: tools}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tools.example.test}
spec:
  group: example.test
  scope: Namespaced
  names: {kind: Tool, plural: tools, singular: tool, listKind: ToolList}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`,
    );
    const words = ['-f', all, '--image', `hello=${referenceOf('1')}`, '--set', 'tools', '--prune'];
    const path = ['--image-path', 'Tool.example.test=spec.steps[*].image'];
    const first = await deployed(...words, ...path);
    expect(changesOf(first)).toEqual([
      'Namespace tools created',
      'CustomResourceDefinition tools.example.test created',
      'Tool hammer created',
    ]);
    expect(changesOf(await deployed(...words, ...path))).toEqual([
      'Namespace tools unchanged',
      'CustomResourceDefinition tools.example.test unchanged',
      'Tool hammer unchanged',
    ]);
    const type = await kubernetes.typeOfKind('Tool', 'example.test');
    const tool = type && (await kubernetes.get<KubernetesObject>(type, 'hammer', 'tools'));
    expect(tool).toMatchObject({ spec: { steps: [{ image: referenceOf('1') }] } });
    const useless = await run(...words, '--image-path', 'Tool=spec.containers[*].image');
    expect(useless.stderr).toContain('it leads to no text in any Tool');
  });

  it('names who manages a field, applies nothing, and takes it over only when told to', async () => {
    const map = (value: string): string =>
      `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}, "data": {"a": "${value}"}}`;
    await kubernetes.apply(JSON.parse(map('theirs')), { fieldManager: 'somebody' });
    const other = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bystander}\n`;
    const ours = await file('ours.yaml', `${other}---\n${map('ours')}`);
    const refused = await run('-f', ours);
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /Cannot apply ConfigMap default\/shared: "somebody" manages \.data\.a; want .*--force-conflicts/,
      ),
    });
    expect(await kubernetes.find(resourceTypes.ConfigMap, 'bystander')).toBeUndefined();
    expect(changesOf(await deployed('-f', ours, '--force-conflicts'))).toContain(
      'ConfigMap shared configured',
    );
  });

  it('rolls back what was made and what was changed, in whatever order it was applied', async () => {
    const settings = (color: string, more = ''): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, labels: {a: b${more}}}\ndata: {color: ${color}}\n---\n`;
    await deployed('-f', await file('before.yaml', settings('red')));
    const extra = `apiVersion: v1\nkind: Secret\nmetadata: {name: extra}\n---\n`;
    const app2 = (await readFile(manifest, 'utf8')).replaceAll('name: hello', 'name: second');
    const after = await file('after.yaml', `${settings('blue', ', c: d')}${extra}${app2}`);
    const { stderr } = await run(
      '-f',
      after,
      '--image',
      `hello=${referenceOf('crashing')}`,
      '--rollback',
      '--fail-after',
      '1s',
    );
    expect(stderr).toMatch(
      /Rolled back: .*ConfigMap default\/settings.*Deployment default\/second \(deleted\)/,
    );
    expect(await kubernetes.get(resourceTypes.ConfigMap, 'settings')).toMatchObject({
      metadata: { labels: { a: 'b' } },
      data: { color: 'red' },
    });
    const { metadata } = await kubernetes.get(resourceTypes.ConfigMap, 'settings');
    expect(metadata.labels).not.toHaveProperty('c');
    expect(await kubernetes.find(resourceTypes.Secret, 'extra')).toBeUndefined();
    expect(await kubernetes.find(resourceTypes.Deployment, 'second')).toBeUndefined();
  });

  it('reads what kustomize prints on standard input, and hides what Secrets hold', async () => {
    const text = `apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {token: hunter2}\n`;
    const { stdout } = await reposure(['deploy', '-f', '-', '--dry-run', '-o', 'json'], {
      env: world.env,
      input: Buffer.from(text),
    });
    expect(stdout.toString()).toContain('token: (hidden, ');
    expect(stdout.toString()).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  it('makes a namespace only when told to', async () => {
    const map = await file('map.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n');
    const refused = await run('-f', map, '-n', 'preview-7');
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /namespace "preview-7": it does not exist .* --create-namespace/,
      ),
    });
    expect(
      changesOf(await deployed('-f', map, '-n', 'preview-7', '--create-namespace', '--set', 'it')),
    ).toEqual(['Namespace preview-7 created', 'ConfigMap one created']);
  });

  it('refuses what was typed wrong as wrong usage', async () => {
    const refused = await run('-f', manifest, '--image', `helo=${referenceOf('1')}`);
    expect(refused.stderr).toContain('no manifest has it; those that are there: hello');
    expect(refused.status).toBe(2);
  });
});
