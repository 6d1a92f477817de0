import { chmod, copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { deploy, parseManifests } from '@reposure/core/deploy';
import type { Manifest } from '@reposure/core/deploy';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';

import type { RealWorld } from '../real-world.ts';

interface Deployment extends KubernetesObject {
  spec: {
    template: { spec: { containers: { name: string; image: string; command?: string[] }[] } };
  };
}

/** Tekton Pipelines in a cluster, made of its own manifests. */
export interface Tekton {
  remove(): Promise<void>;
}

/** Of the manifests, those that a cluster needs to run Pipelines; no scaling, no cloud events. */
const left = new Set(['events.yaml', 'webhook-hpa.yaml']);

/**
 * Installs Tekton's controller, webhook and resolvers from a checkout of its source: its `config/` as it
 * stands, its programs as images that Reposure makes of them, in the registry of the world.
 *
 * @param source Of github.com/tektoncd/pipeline, with the programs of `cmd/` built into `bin/`.
 * @param folder For what is made on the way.
 */
export async function installTekton(
  world: RealWorld,
  source: string,
  folder: string,
): Promise<Tekton> {
  const images = await pushPrograms(world, source, folder);
  const manifests = await readConfig(join(source, 'config'), images);
  const { kubernetes } = world;
  try {
    await deploy(kubernetes, manifests, { namespace: 'tekton-pipelines', timeoutMs: 300_000 });
  } catch (error) {
    await remove(kubernetes, manifests);
    throw error;
  }
  return { remove: () => remove(kubernetes, manifests) };
}

/** @returns Names of programs, and what nodes pull them by. */
async function pushPrograms(
  world: RealWorld,
  source: string,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const images = new Map<string, string>();
  for (const name of await readdir(join(source, 'bin'))) {
    const root = join(folder, name);
    const program = join(root, 'ko-app', name);
    await mkdir(join(root, 'ko-app'), { recursive: true });
    await copyFile(join(source, 'bin', name), program);
    await chmod(program, 0o755);
    const printed = await world.run(
      'image',
      'push',
      'default',
      `tekton/${name}:1`,
      root,
      '-o',
      'json',
    );
    const { digest, repository, pullRefs } = JSON.parse(printed.toString()) as {
      digest: string;
      repository: string;
      pullRefs: string[];
    };
    const [host = ''] = (pullRefs[0] ?? '').split('/');
    images.set(name, `${host}/${repository}@${digest}`);
    await rm(root, { recursive: true });
  }
  return images;
}

async function readConfig(
  config: string,
  images: ReadonlyMap<string, string>,
): Promise<Manifest[]> {
  const files = await readdir(config, { recursive: true, withFileTypes: true });
  const paths = files
    .filter(({ name }) => name.endsWith('.yaml') && !left.has(name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
  const manifests: Manifest[] = [];
  for (const path of paths) {
    const text = await readFile(path, 'utf8');
    const ko = /ko:\/\/github\.com\/tektoncd\/pipeline\/cmd\/(\w+)/g;
    const own = text.replace(ko, (_, program: string) => images.get(program) ?? 'none.test/none');
    manifests.push(...parseManifests(own, path));
  }
  for (const { object } of manifests) {
    if (object.kind === 'Deployment') withCommand(object as Deployment, images);
  }
  return manifests;
}

/** ko's images have an entry point; ours, made of a folder, have none. */
function withCommand({ spec }: Deployment, images: ReadonlyMap<string, string>): void {
  for (const container of spec.template.spec.containers) {
    const found = [...images].find(([, image]) => image === container.image);
    if (found) container.command = [`/ko-app/${found[0]}`];
  }
}

/** Definitions first, while what converts their objects is there; each is waited for. */
async function remove(kubernetes: KubernetesClient, manifests: readonly Manifest[]): Promise<void> {
  const isDefinition = ({ object }: Manifest): boolean =>
    object.kind === 'CustomResourceDefinition';
  const [first, rest] = [manifests.filter(isDefinition), manifests.filter((m) => !isDefinition(m))];
  for (const { object } of [...first, ...rest.toReversed()]) {
    const type = await kubernetes.typeOf(object);
    const { name, namespace } = object.metadata;
    await kubernetes.delete(type, name, namespace);
    while (await kubernetes.find(type, name, namespace)) await delay(200);
  }
}
