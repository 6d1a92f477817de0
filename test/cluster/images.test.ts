import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { resourceTypes, waitFor } from '@reposure/core/kubernetes';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { reposure } from '../support/cli.ts';
import { buildContainerfile } from '../support/containerfile-image.ts';
import { startRealWorld } from '../support/real-world.ts';
import type { RealWorld } from '../support/real-world.ts';
import { writeTinyImage } from '../support/tiny-image.ts';
import { hasTool } from '../support/tools.ts';

interface Pod extends KubernetesObject {
  status?: {
    phase?: string;
    containerStatuses?: { imageID?: string; state?: { waiting?: { reason?: string } } }[];
  };
}

let world: RealWorld;
let directory: string;
let host: string;

beforeAll(async () => {
  world = await startRealWorld();
  directory = await mkdtemp(join(tmpdir(), 'images-'));
  await world.run('operator', 'install', '--wait');
});

afterAll(async () => {
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

/** The simple registry as it is asked for, with a node port, and a Registry for it. */
async function install(...options: readonly string[]): Promise<void> {
  await world.run('simple', 'install', '--node-port', '--wait', ...options);
  await world.run('registry', 'create', 'default', '--provider=simple', '--wait');
  host = (await world.run('registry', 'info', 'default', 'host')).toString().trim();
}

/** Pushes an image through the surrogate that no node ever had. @returns What nodes pull. */
async function pushTiny(name: string, message: string): Promise<string> {
  const layout = join(directory, name);
  const digest = await writeTinyImage(layout, message);
  const pushed = await world.run('image', 'push', 'default', `e2e/${name}:1`, layout, '-o', 'name');
  expect(pushed.toString().trim()).toBe(`${host}/e2e/${name}@${digest}`);
  return `${host}/e2e/${name}:1`;
}

/** What the layout of this name holds. */
async function digestIn(name: string): Promise<string | undefined> {
  const text = await readFile(join(directory, name, 'index.json'), 'utf8');
  return (JSON.parse(text) as { manifests: { digest: string }[] }).manifests[0]?.digest;
}

/** Starts a Pod that is to end by itself. */
async function start(
  name: string,
  image: string,
  more: object = {},
  container: object = {},
): Promise<void> {
  await world.kubernetes.create(podOf(name, image, more, container));
}

function podOf(name: string, image: string, more: object = {}, container: object = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: world.namespace },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image, ...container }],
      ...more,
    },
  };
}

/** What a Pod printed, once it has ended well. */
async function printedBy(name: string): Promise<string> {
  await podThat(name, ({ status }) => status?.phase === 'Succeeded');
  const log = await Array.fromAsync(world.kubernetes.logs(name, world.namespace));
  return Buffer.concat(log).toString().trim();
}

function podThat(name: string, until: (pod: Pod) => boolean): Promise<Pod> {
  return waitFor<Pod>(
    world.kubernetes,
    resourceTypes.Pod,
    { name, namespace: world.namespace },
    {
      until: (pod) => pod && until(pod),
      describe: ({ status }) => JSON.stringify(status),
      timeoutMs: 60_000,
    },
  );
}

function surrogateOf({ kubernetes, namespace }: RealWorld): Promise<Pod> {
  return kubernetes.get<Pod>(resourceTypes.Pod, names.surrogatePod('inner'), namespace);
}

/** Installs the operator anew, and waits until the surrogate has followed. */
async function upgrade(there: RealWorld, ...options: readonly string[]): Promise<void> {
  const { metadata } = await surrogateOf(there);
  const always = '--image-pull-policy=Always';
  await there.run('operator', 'install', '--wait', always, ...options);
  await vi.waitFor(
    async () => expect((await surrogateOf(there)).metadata.uid).not.toBe(metadata.uid),
    60_000,
  );
  await there.run('registry', 'create', 'inner', '--provider=simple', '--wait');
}

/** Pushes again and again until something is done. @returns How often; each push must succeed. */
async function pushDuring(done: Promise<void>, there: RealWorld, file: string): Promise<number> {
  const over = new AbortController();
  const ending = done.finally(() => over.abort());
  let pushes = 0;
  while (!over.signal.aborted) {
    await there.run('image', 'push', 'inner', `e2e/meanwhile:${pushes}`, file);
    pushes += 1;
  }
  await ending;
  return pushes;
}

describe.skipIf(process.arch !== 'x64')('a node, of a registry without a login', () => {
  beforeAll(() => install());

  it('pulls and runs what was pushed through the surrogate', async () => {
    const message = randomUUID();
    await start('plain', await pushTiny('plain', message));
    expect(await printedBy('plain')).toBe(message);
  });

  it('mounts a file that was pushed as it is', async () => {
    const message = randomUUID();
    const file = join(directory, 'hello.txt');
    await writeFile(file, message);
    await world.run('image', 'push', 'default', 'e2e/hello:1', file);
    const image = { reference: `${host}/e2e/hello:1` };
    await start(
      'mounting',
      'docker.io/library/busybox:1',
      { volumes: [{ name: 'hello', image }] },
      {
        imagePullPolicy: 'IfNotPresent',
        command: ['cat', '/hello/hello.txt'],
        volumeMounts: [{ name: 'hello', mountPath: '/hello' }],
      },
    );
    expect(await printedBy('mounting')).toBe(message);
  });
});

describe.skipIf(process.arch !== 'x64')('a node, of a registry of Distribution 2.8', () => {
  beforeAll(() => install('--image=docker.io/library/registry:2'));

  it('pulls and runs what was pushed through the surrogate, which gives it back', async () => {
    const message = randomUUID();
    await start('second', await pushTiny('second', message));
    expect(await printedBy('second')).toBe(message);
    const words = ['image', 'pull', 'default', 'e2e/second:1'];
    await world.run(...words, '--to', `oci:${join(directory, 'back')}`);
    expect(await digestIn('back')).toBe(await digestIn('second'));
    expect((await world.run('simple', 'logs')).toString()).toMatch(/version="?v?2\.8/);
  });
});

describe.skipIf(process.arch !== 'x64')('a node, of a registry with TLS and a login', () => {
  const message = randomUUID();
  let image: string;

  beforeAll(async () => {
    await install('--tls', '--login');
    image = await pushTiny('secured', message);
  });

  it('pulls nothing without a pull secret, which is what a deployment advises', async () => {
    const { namespace } = world;
    const file = join(directory, 'refused.json');
    await writeFile(file, JSON.stringify(podOf('refused', image)));
    const words = ['deploy', '-n', namespace, '-f', file, '--rollback', '--fail-after=1s'];
    const { status, stderr } = await reposure(words);
    expect(stderr).toMatch(/cannot pull \S+\/e2e\/secured:1: .*no basic auth credentials/);
    expect(stderr).toContain(
      `want \`reposure -n ${namespace} registry pull-secret default --for-namespace ${namespace} --service-account default\``,
    );
    expect(status).toBe(1);
  });

  it('pulls and runs it with the one that `registry pull-secret` gives, until it is taken back', async () => {
    const words = ['registry', 'pull-secret', 'default', '--service-account=default'];
    const given = await world.run(...words, '-o', 'json');
    expect(JSON.parse(given.toString())).toMatchObject({ state: 'created', host });
    await start('admitted', image);
    expect(await printedBy('admitted')).toBe(message);
    const again = await world.run(...words, '-o', 'json');
    expect(JSON.parse(again.toString())).toMatchObject({ state: 'unchanged' });
    await world.run(...words, '--remove');
    const { ServiceAccount } = resourceTypes;
    const account = await world.kubernetes.get<KubernetesObject>(
      ServiceAccount,
      'default',
      world.namespace,
    );
    expect(account['imagePullSecrets'] ?? []).toEqual([]);
    // A node has it by now, and gives it to nobody who could not have pulled it (KEP-2535).
    await start('late', image);
    await podThat('late', ({ status: { containerStatuses } = {} }) =>
      /Err|BackOff/.test(containerStatuses?.[0]?.state?.waiting?.reason ?? ''),
    );
  });

  it.skipIf(!hasTool('buildah'))(
    'pulls our own image, as the Containerfile builds it, for an operator that becomes it, and its surrogates: no push fails meanwhile',
    { timeout: 300_000 },
    async () => {
      const { archive } = await buildContainerfile(join(directory, 'containerfile'));
      const load = ['operator', 'image', 'load', archive, 'default', 'tools/reposure:2'];
      const reference = (await world.run(...load, '-o', 'name')).toString().trim();
      expect(reference).toMatch(new RegExp(`^${host}/tools/reposure@sha256:`));
      const other = await startRealWorld();
      try {
        await other.run('operator', 'install', '--wait');
        await other.run('simple', 'install', '--wait');
        await other.run('registry', 'create', 'inner', '--provider=simple', '--wait');
        await world.run('registry', 'pull-secret', 'default', '--for-namespace', other.namespace);
        const file = join(directory, 'file.txt');
        await writeFile(file, message);
        const pushing = pushDuring(
          upgrade(other, `--image=${reference}`, '--image-pull-secret=reposure-pull-default'),
          other,
          file,
        );
        expect(await pushing).toBeGreaterThan(1);
        const pod = await surrogateOf(other);
        expect(pod.status?.containerStatuses?.[0]?.imageID).toBe(reference);
        for (const route of ['proxy', 'exec']) {
          await other.run('image', 'push', 'inner', `e2e/${route}:1`, file, `--route=${route}`);
          const back = await other.run('image', 'pull', 'inner', `e2e/${route}:1`, '--unpack');
          expect(back.toString()).toBe(message);
        }
      } finally {
        await other.close();
      }
    },
  );
});
