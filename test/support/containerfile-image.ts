import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { buildImage, nodeRuntime, parsePacking } from '@reposure/core/build';
import { openSink, storeImage } from '@reposure/core/content';

import { tool } from './tools.ts';

const baseName = 'localhost/node:24-slim';
const root = fileURLToPath(new URL('../..', import.meta.url));

/** The image of operator/Containerfile, and the storage of buildah that it lies in. */
export interface ContainerfileImage {
  readonly name: string;
  readonly storage: readonly string[];
  /** As an OCI archive. */
  readonly archive: string;
}

/**
 * Bundles, and builds with buildah as a person would; the base is this machine's Node and its libraries.
 *
 * @param folder Gets everything, the storage of buildah included.
 */
export async function buildContainerfile(folder: string): Promise<ContainerfileImage> {
  const storage = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run')];
  const [name, archive] = ['localhost/reposure:containerfile', join(folder, 'reposure.tar')];
  const base = await writeBase(folder);
  await tool(process.execPath, join(root, 'operator', 'bundle.ts'));
  await tool('buildah', ...storage, 'pull', '-q', `docker-archive:${base}`);
  const containerfile = join(root, 'operator', 'Containerfile');
  await tool(
    'buildah',
    ...storage,
    'build',
    '-q',
    '--pull-never',
    `--build-arg=BASE=${baseName}`,
    `--file=${containerfile}`,
    `--tag=${name}`,
    root,
  );
  await tool('buildah', ...storage, 'push', '-q', name, `oci-archive:${archive}`);
  await rm(base);
  return { name, storage, archive };
}

/** An archive of an image with Node where the node images have it. */
async function writeBase(folder: string): Promise<string> {
  const rootfs = await machineRootfs(join(folder, 'rootfs'));
  const { tree, platform } = await nodeRuntime(rootfs);
  const image = await buildImage([{ platform, layers: [{ tree, createdBy: 'a test' }] }], {
    settings: { user: '0:0', entrypoint: [], env: {}, labels: {} },
    annotations: {},
    created: '1970-01-01T00:00:00Z',
    packing: parsePacking('none'),
  });
  const path = join(folder, 'base.tar');
  try {
    await storeImage(image, await openSink(`docker-archive:${path}`), { name: baseName });
  } finally {
    await image.close();
    await rm(rootfs, { recursive: true });
  }
  return path;
}

/** The Node that runs this, and its libraries, as a root file system. */
export async function machineRootfs(folder: string): Promise<string> {
  await mkdir(join(folder, 'usr', 'local', 'bin'), { recursive: true });
  const listed = await tool('ldd', process.execPath);
  const libraries = [...listed.matchAll(/\/\S+/g)].map(([path]) => path);
  await tool('cp', '-L', '--parents', ...libraries, folder);
  await tool('cp', '-L', process.execPath, join(folder, 'usr', 'local', 'bin', 'node'));
  return folder;
}
