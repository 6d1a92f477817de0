import { open } from 'node:fs/promises';

import { collect } from '../bytes.ts';
import { checkStoredName, describeStored, firstTool, runTool } from './container-tools.ts';
import type { StoredImage, ToolOptions } from './container-tools.ts';

/** An ID is short; whatever is longer is none. */
const maxIdBytes = 1024;

/**
 * Has the tools of a store write an image into a docker archive.
 *
 * @returns The archive's path, in the temporary folder.
 * @throws {NotFoundError} if the store has no such image, or there is no tool for it.
 * @throws {UnreachableError} if the daemon does not answer.
 * @throws {UnsupportedError} if the tool fails otherwise.
 */
export async function saveImage(
  stored: Pick<StoredImage, 'kind' | 'name'>,
  options: ToolOptions,
): Promise<string> {
  const image: StoredImage = { ...stored, verb: 'read' };
  checkStoredName(image);
  const { name } = image;
  switch (image.kind) {
    case 'docker-daemon':
      return firstTool(image, { docker: () => saveFromDaemon(image, options) });
    case 'containers-storage':
      return firstTool(image, {
        podman: () =>
          saved(image, ['podman', 'save', '-q', '--format', 'docker-archive', name], options),
        buildah: () =>
          written(image, (archive) => ['buildah', 'push', '-q', name, archive], options),
        skopeo: () =>
          written(
            image,
            (archive) => ['skopeo', 'copy', '-q', describeStored(image), archive],
            options,
          ),
      });
  }
}

/** By ID: for a name without a tag, docker saves every tag of it. */
async function saveFromDaemon(image: StoredImage, options: ToolOptions): Promise<string> {
  let id = '';
  const args = ['image', 'inspect', '--format', '{{.Id}}', image.name];
  const onStdout = async (stdout: AsyncIterable<Uint8Array>): Promise<void> => {
    id = (await collect(stdout, 'the ID of the image', maxIdBytes)).toString().trim();
  };
  await runTool(image, { command: 'docker', args, onStdout }, options);
  return saved(image, ['docker', 'save', id], options);
}

/** Runs a tool that writes an archive to its standard output. */
async function saved(
  image: StoredImage,
  [command = '', ...args]: readonly string[],
  options: ToolOptions,
): Promise<string> {
  let path = '';
  const onStdout = async (stdout: AsyncIterable<Uint8Array>): Promise<void> => {
    path = await options.temporary.spool(stdout, options.signal);
  };
  await runTool(image, { command, args, onStdout }, options);
  return path;
}

/** Runs a tool that writes an archive to a file. */
async function written(
  image: StoredImage,
  commandFor: (archive: string) => readonly string[],
  options: ToolOptions,
): Promise<string> {
  const path = await options.temporary.next();
  // Made here, so that nobody else may read it: the tools add to an empty file.
  await (await open(path, 'wx', 0o600)).close();
  const [command = '', ...args] = commandFor(`docker-archive:${path}`);
  await runTool(image, { command, args }, options);
  return path;
}
