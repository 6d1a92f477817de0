import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { tool } from './tools.ts';

/** Images that real tools made, in a folder of the test. */
export interface Images {
  /** Two layers, as `docker save` writes them. */
  readonly dockerArchive: string;
  /** The same image as an OCI archive. */
  readonly ociArchive: string;
  /** An OCI layout with an index of linux/amd64 and linux/arm64, copied by skopeo. */
  readonly layout: string;
}

/**
 * Makes the images with buildah and skopeo; their storage lies in the folder and goes with it.
 *
 * @param bytes Size of the larger layer; its content cannot be compressed.
 */
export async function makeImages(directory: string, bytes = 3 * 1024 * 1024): Promise<Images> {
  const storage = ['--root', join(directory, 'storage'), '--runroot', join(directory, 'run')];
  const buildah = async (...args: readonly string[]): Promise<string> =>
    (await tool('buildah', ...storage, ...args)).trim();
  const files = join(directory, 'files');
  await mkdir(files, { recursive: true });
  await writeFile(join(files, 'hello.txt'), 'hello world\n');
  await writeFile(join(files, 'random.bin'), randomBytes(bytes));

  const dockerArchive = join(directory, 'app.docker.tar');
  const ociArchive = join(directory, 'app.oci.tar');
  const layout = join(directory, 'layout');
  const base = await buildah('from', 'scratch');
  await buildah('copy', '-q', base, join(files, 'hello.txt'), '/hello.txt');
  await buildah('commit', '-q', base, 'localhost/base:1');
  const app = await buildah('from', '--pull-never', 'localhost/base:1');
  await buildah('copy', '-q', app, join(files, 'random.bin'), '/data/random.bin');
  await buildah('config', '--entrypoint', '["/hello"]', app);
  await buildah('commit', '-q', app, 'localhost/team/app:1.2.3');
  await buildah(
    'push',
    '-q',
    'localhost/team/app:1.2.3',
    `docker-archive:${dockerArchive}:localhost/team/app:1.2.3`,
  );
  await buildah('push', '-q', 'localhost/team/app:1.2.3', `oci-archive:${ociArchive}:1.2.3`);

  await buildah('manifest', 'create', 'localhost/team/multi:1');
  for (const architecture of ['amd64', 'arm64']) {
    const image = await buildah('from', '--arch', architecture, 'scratch');
    await writeFile(join(files, 'arch'), architecture);
    await buildah('copy', '-q', image, join(files, 'arch'), '/arch');
    await buildah('config', '--arch', architecture, image);
    await buildah('commit', '-q', image, `localhost/team/multi-${architecture}:1`);
    await buildah(
      'manifest',
      'add',
      'localhost/team/multi:1',
      `localhost/team/multi-${architecture}:1`,
    );
  }
  const made = join(directory, 'made');
  await buildah('manifest', 'push', '--all', '-q', 'localhost/team/multi:1', `oci:${made}:1`);
  await tool(
    'skopeo',
    '--insecure-policy',
    'copy',
    '-q',
    '--all',
    `oci:${made}:1`,
    `oci:${layout}:1`,
  );
  return { dockerArchive, ociArchive, layout };
}
