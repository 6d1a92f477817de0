import { open } from 'node:fs/promises';

import * as z from 'zod';

import { collect } from '../bytes.ts';
import { InputError, UnsupportedError } from '../errors.ts';
import { ContentMismatchError, partsOf } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';
import { checkStoredName, describeStored, firstTool, runTool } from './container-tools.ts';
import type { StoredImage, StoreKind, ToolOptions } from './container-tools.ts';
import { readRange } from './file-bytes.ts';
import type { OutputFile } from './output-file.ts';

/** What says which image it is: the config, and the layers that it names. */
export interface ImageIdentity {
  readonly config: Digest;
  readonly diffIds: readonly Digest[];
}

/** An archive that a store's tool loads once it is whole. */
export interface LoadedImage {
  readonly output: OutputFile;
  /** @throws {ContentMismatchError} if the store has another image under the name. */
  readonly confirm: (expected: ImageIdentity) => Promise<void>;
}

/** `docker load` for a daemon, `podman load` for containers-storage: they take the same. */
const tools = { 'docker-daemon': 'docker', 'containers-storage': 'podman' } as const;

/** What inspecting answers, docker's or podman's. */
const Inspected = z.looseObject({
  Id: z.string().min(1),
  RootFS: z.looseObject({ Layers: z.array(z.string()).nullish() }),
  /** Only where the daemon keeps images in containerd: there, the ID is the manifest's. */
  Descriptor: z.unknown().optional(),
});
type Inspected = z.infer<typeof Inspected>;

const maxInspectedBytes = 4 * 1024 * 1024;

/**
 * A place in a store of this machine. Before `publish`, nothing gets there; while it is under way, the
 * store decides what a load that is broken off leaves behind.
 *
 * @throws {InputError} if the name is none that an image can be given.
 * @throws {NotFoundError} if there is no tool for the store.
 * @throws {UnreachableError} if the daemon does not answer.
 */
export async function loadedImage(
  kind: StoreKind,
  name: string,
  options: ToolOptions,
): Promise<LoadedImage> {
  const image: StoredImage = { kind, name, verb: 'write' };
  checkStoredName(image);
  if (name.includes('@')) {
    throw new InputError(
      `Cannot write ${describeStored(image)}: a digest is not to be chosen; want a name and a tag`,
    );
  }
  const command = tools[kind];
  // Asked before anything is pulled: what is not there now will hardly be there at the end.
  await firstTool(image, {
    [command]: () => runTool(image, { command, args: ['version'] }, options),
  });
  const path = await options.temporary.next();
  const handle = await open(path, 'wx+', 0o600);
  return {
    output: {
      handle,
      publish: async (size) => {
        const stdin = readRange(handle, { start: 0, end: size, signal: options.signal });
        try {
          await runTool(image, { command, args: ['load'], stdin }, options);
        } finally {
          await handle.close();
        }
      },
      discard: async () => {
        await handle.close().catch(() => {});
      },
    },
    confirm: async (expected) => {
      const found = await inspected(image, command, options);
      if (isImage(found, expected)) return;
      throw new ContentMismatchError(
        `Cannot confirm ${describeStored(image)}: ${command} has ${found.Id} there; want ${expected.config}. Was the name given to another image at the same moment?`,
      );
    },
  };
}

async function inspected(
  image: StoredImage,
  command: string,
  options: ToolOptions,
): Promise<Inspected> {
  let text = '';
  const args = ['image', 'inspect', image.name];
  const onStdout = async (stdout: AsyncIterable<Uint8Array>): Promise<void> => {
    const what = `what ${command} says of ${image.name}`;
    text = (await collect(stdout, what, maxInspectedBytes)).toString();
  };
  await runTool(image, { command, args, onStdout }, options);
  return identified(text, image, command);
}

function identified(text: string, image: StoredImage, command: string): Inspected {
  try {
    const [found] = z.tuple([Inspected]).parse(JSON.parse(text));
    return found;
  } catch (cause) {
    throw new UnsupportedError(
      `Cannot confirm ${describeStored(image)}: what ${command} image inspect says has no ID and layers; want docker or podman of a version that has them`,
      { cause: cause instanceof SyntaxError ? cause : undefined },
    );
  }
}

function isImage(
  { Id, RootFS, Descriptor }: Inspected,
  { config, diffIds }: ImageIdentity,
): boolean {
  // podman writes it without the algorithm.
  if (Id === config || Id === partsOf(config).hex) return true;
  const layers = RootFS.Layers ?? [];
  return Boolean(Descriptor) && layers.join() === diffIds.join();
}
