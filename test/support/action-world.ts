import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { openCluster, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import type { Program } from '@reposure/local/cluster';

import { startRunner } from './action.ts';
import type { Runner, StepOptions, StepRun } from './action.ts';
import { reposureOk } from './cli.ts';
import { cloneTo } from './clone.ts';
import { startEmbeddedWorld } from './embedded-world.ts';
import { sampleApp, versionAt } from './sample-app.ts';
import { passOn } from './token-registry.ts';

/** What a registry has under one name. */
interface Stored {
  readonly digest: string;
  readonly bytes: number;
  /** Of its config and its layers. */
  readonly blobBytes: number;
}

/** An embedded cluster that actions/setup has made ready, and runners with the other actions. */
export interface ActionWorld {
  /** What actions/setup did. */
  readonly ready: StepRun;
  readonly runners: Readonly<Record<'deploy' | 'pull' | 'push' | 'setup', Runner>>;
  readonly env: Readonly<Record<string, string>>;
  /** The kubeconfig, as a workflow has it in a secret. */
  readonly kubeconfig: string;
  /** The registry, as this machine reaches it. */
  readonly origin: string;
  /** In front of the registry: everything passes, but no blob ever arrives. */
  readonly stalled: Stalled;
  /** What a clone has of this checkout: the actions of all runners are there. */
  readonly checkout: string;
  readonly path: (name: string) => string;
  readonly cli: (...words: string[]) => Promise<Buffer>;
  readonly push: (inputs: Record<string, string>, more?: Partial<StepOptions>) => Promise<StepRun>;
  readonly pull: (inputs: Record<string, string>, more?: Partial<StepOptions>) => Promise<StepRun>;
  readonly setup: (inputs: Record<string, string>, more?: Partial<StepOptions>) => Promise<StepRun>;
  readonly deploy: (
    inputs: Record<string, string>,
    more?: Partial<StepOptions>,
  ) => Promise<StepRun>;
  /** What the application answers that runs: the digest of its image. */
  readonly answer: () => Promise<string>;
  /** The image of a Deployment. */
  readonly imageOf: (deployment: string) => Promise<string>;
  /** What the registry itself has, without Reposure. */
  readonly stored: (name: string) => Promise<Stored>;
  readonly tagsOf: (repository: string) => Promise<string[]>;
  readonly close: () => Promise<void>;
}

/** The sample application, as each image of a repository has it: it answers with its digest. */
const appProgram = (failure: string): Program => ({
  mapped: true,
  command: () => [process.execPath, join(sampleApp, 'server.mjs')],
  environment: ({ image }) => ({ VERSION: image.split('@')[1] ?? '', FAILS: failure }),
});
const programs = { '*/team/app': appProgram(''), '*/team/crashing': appProgram('crash') };

/**
 * Starts it all. In its folder are `site/`, `app.tar`, the same as `docker save` writes it, and
 * `k8s/`, in which the sample application is the image `app`.
 */
export async function startActionWorld(): Promise<ActionWorld> {
  const world = await startEmbeddedWorld(programs);
  const { env } = world;
  const path = (name: string): string => join(world.directory, name);
  const cli = (...words: string[]): Promise<Buffer> => reposureOk(words, { env });
  const checkout = path('checkout');
  await cloneTo(checkout);
  // What makes it ready has a runner of its own: its `post` comes last.
  const [first, setup, push, pull, deploy] = await Promise.all(
    ['setup', 'setup', 'push', 'pull', 'deploy'].map((name) =>
      startRunner(pathToFileURL(join(checkout, 'actions', name, 'action.yml'))),
    ),
  );
  if (!first || !setup || !push || !pull || !deploy) throw new Error('an action is missing');
  const kubeconfig = await readFile(env['KUBECONFIG'] ?? '', 'utf8');
  const ready = await first.run({
    inputs: { kubeconfig, simple: 'true', bridge: 'true', 'export-kubeconfig': 'true' },
  });
  if (ready.status !== 0) throw new Error(ready.log);
  const origin = (await cli('simple', 'host')).toString().trim();
  const stalled = await startStalled(origin);
  await Promise.all([
    cli('registry', 'create', 'near', `--host=${origin}`, '--insecure', '--wait'),
    cli('registry', 'create', 'stalled', `--host=${stalled.host}`, '--insecure', '--wait'),
  ]);
  await mkdir(path('site'));
  await writeFile(path('site/page.html'), '<p>hello</p>');
  await writeFile(path('site/random.bin'), randomBytes(100_000));
  await cli('image', 'push', 'default', 'made/site:1', path('site'));
  await cli('image', 'pull', 'default', 'made/site:1', '--to', `docker-archive:${path('app.tar')}`);
  await mkdir(path('k8s'));
  const manifest = await readFile(join(sampleApp, 'k8s', 'app.yaml'), 'utf8');
  await writeFile(path('k8s/app.yaml'), manifest.replace('image: hello', 'image: app'));
  const kubernetes = await openCluster({ kubeconfig: env['KUBECONFIG'] });
  return {
    ready,
    runners: { setup, push, pull, deploy },
    env,
    kubeconfig,
    origin,
    stalled,
    checkout,
    path,
    cli,
    push: (inputs, more) => push.run({ inputs, env, ...more }),
    pull: (inputs, more) => pull.run({ inputs, env, ...more }),
    setup: (inputs, more) => setup.run({ inputs, env, ...more }),
    deploy: (inputs, more) => deploy.run({ inputs, env, ...more }),
    answer: () => versionAt(kubernetes, 'default'),
    imageOf: async (name) => {
      const found = await kubernetes.get<WithPods>(resourceTypes.Deployment, name);
      return found.spec.template.spec.containers[0]?.image ?? '';
    },
    stored: (name) => stored(origin, name),
    tagsOf: (repository) => tagsOf(origin, repository),
    close: async () => {
      stalled.close();
      kubernetes.close();
      await first.runPost();
      await Promise.all([first, setup, push, pull, deploy].map((runner) => runner.close()));
      await world.close();
    },
  };
}

interface WithPods extends KubernetesObject {
  readonly spec: { template: { spec: { containers: readonly { readonly image: string }[] } } };
}

async function stored(origin: string, name: string): Promise<Stored> {
  const [repository = '', reference = ''] = name.split(/[:@](?!.*[:@/])/);
  const answer = await fetch(`http://${origin}/v2/${repository}/manifests/${reference}`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  if (!answer.ok) throw new Error(`${name} at ${origin}: ${answer.status}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const { config, layers } = JSON.parse(bytes.toString()) as {
    config: { size: number };
    layers: { size: number }[];
  };
  return {
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    bytes: bytes.byteLength,
    blobBytes: [config, ...layers].reduce((sum, { size }) => sum + size, 0),
  };
}

async function tagsOf(origin: string, repository: string): Promise<string[]> {
  const answer = await fetch(`http://${origin}/v2/${repository}/tags/list`);
  if (answer.status === 404) return [];
  return ((await answer.json()) as { tags: string[] | null }).tags ?? [];
}

/** A registry from which, and to which, no blob arrives. */
interface Stalled {
  readonly host: string;
  /** Once a blob is under way. */
  arrival(): Promise<unknown>;
  close(): void;
}

async function startStalled(origin: string): Promise<Stalled> {
  const server = createServer((request, response) => {
    const { method, url = '' } = request;
    const isUpload = url.includes('/blobs/uploads/') && (method === 'PUT' || method === 'PATCH');
    if (isUpload || (method === 'GET' && url.includes('/blobs/sha256:'))) {
      request.resume();
      server.emit('stalled');
      return;
    }
    passOn(origin, { request, response });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrival: () => once(server, 'stalled'),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
