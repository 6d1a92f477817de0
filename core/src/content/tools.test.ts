import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { hasTool } from '../../../test/support/tools.ts';
import { childrenOf, digestOf } from '../oci/index.ts';
import { readDocument, readManifest } from './image.ts';
import { openSink } from './open-sink.ts';
import { openSource } from './open-source.ts';
import { useFolder } from './test/fixtures.ts';
import { unpack } from './unpack.ts';

// What other tools write is read here, and what is written here, by other tools.
const folder = useFolder();

function run(tool: string, ...args: string[]): string {
  const env = { ...process.env, STORAGE_DRIVER: 'vfs', BUILDAH_ISOLATION: 'chroot' };
  return execFileSync(tool, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Builds an image of two layers with buildah, in a store of its own, and saves it. */
function build(...destinations: string[]): void {
  const store = ['--root', folder('store'), '--runroot', folder('run')];
  writeFileSync(folder('one'), 'first');
  writeFileSync(folder('two'), 'second');
  const base = run('buildah', ...store, 'from', 'scratch').trim();
  run('buildah', ...store, 'copy', base, folder('one'), '/one');
  run('buildah', ...store, 'commit', '-q', base, 'localhost/base:1');
  const app = run('buildah', ...store, 'from', 'localhost/base:1').trim();
  run('buildah', ...store, 'copy', app, folder('two'), '/deep/two');
  run('buildah', ...store, 'commit', '-q', app, 'localhost/app:1.2.3');
  for (const to of destinations) run('buildah', ...store, 'push', '-q', 'localhost/app:1.2.3', to);
}

/** Copies a source to a sink, as a transfer does. */
async function copy(from: string, to: string, name: string): Promise<string> {
  const source = await openSource(from);
  const sink = await openSink(to);
  const document = await readDocument(source, source.root);
  for (const descriptor of [...childrenOf(document), source.root]) {
    if (await sink.has(descriptor)) continue;
    await sink.write(descriptor, source.read(descriptor));
  }
  await sink.commit(source.root, name);
  await source.close();
  return source.root.digest;
}

const inspect = (place: string): { Digest: string; Layers: string[] } =>
  JSON.parse(run('skopeo', 'inspect', place));

describe('images of other tools', () => {
  it.skipIf(!hasTool('buildah', 'skopeo'))(
    'of buildah, in docker and OCI archives, come and go unharmed',
    async () => {
      const docker = folder('docker.tar');
      const oci = folder('oci.tar');
      build(`docker-archive:${docker}:localhost/app:1.2.3`, `oci-archive:${oci}:1.2.3`);
      for (const path of [docker, oci]) {
        const source = await openSource(path);
        expect(await unpack(source, `${path}.out`)).toEqual({ files: 2, bytes: 11 });
        expect(readFileSync(join(`${path}.out`, 'deep', 'two'), 'utf8')).toBe('second');
        const { config } = await readManifest(source, {});
        expect(config.digest).toBe(
          digestOf(run('skopeo', 'inspect', '--raw', '--config', `oci-archive:${oci}`)),
        );
        await source.close();
      }
    },
  );

  it.skipIf(!hasTool('buildah', 'skopeo'))(
    'can be read by skopeo from what is written here',
    async () => {
      build(`docker-archive:${folder('in.tar')}:localhost/app:1.2.3`);
      const digest = await copy(folder('in.tar'), `oci:${folder('layout')}`, 'team/app:1.2.3');
      expect(inspect(`oci:${folder('layout')}:1.2.3`).Digest).toBe(digest);
      await copy(folder('layout'), `oci-archive:${folder('out-oci.tar')}`, 'team/app:1.2.3');
      expect(inspect(`oci-archive:${folder('out-oci.tar')}:1.2.3`).Digest).toBe(digest);
      await copy(folder('layout'), `docker-archive:${folder('out.tar')}`, 'team/app:1.2.3');
      const manifest = JSON.parse(
        run('skopeo', 'inspect', '--raw', `docker-archive:${folder('out.tar')}`),
      );
      const source = await openSource(folder('in.tar'));
      expect(manifest.config.digest).toBe((await readManifest(source, {})).config.digest);
      await source.close();
      // Reads every layer and checks it against the config.
      run(
        'skopeo',
        'copy',
        `docker-archive:${folder('out.tar')}:docker.io/team/app:1.2.3`,
        `dir:${folder('dir')}`,
      );
      expect(readdirSync(folder('dir')).length).toBe(5);
    },
  );

  it.skipIf(!hasTool('buildah'))(
    'of files and folders can be pulled and mounted by buildah',
    async () => {
      mkdirSync(folder('in', 'sub'), { recursive: true });
      writeFileSync(folder('in', 'sub', 'file'), 'content', { mode: 0o750 });
      symlinkSync('sub/file', folder('in', 'link'));
      await copy(folder('in'), `docker-archive:${folder('out.tar')}`, 'localhost/in:1');
      const store = ['--root', folder('store'), '--runroot', folder('run')];
      const container = run(
        'buildah',
        ...store,
        'from',
        `docker-archive:${folder('out.tar')}`,
      ).trim();
      const mounted = run('buildah', ...store, 'mount', container).trim();
      expect(readFileSync(join(mounted, 'link'), 'utf8')).toBe('content');
      run('buildah', ...store, 'umount', container);
    },
  );

  it.skipIf(!hasTool('crane'))('can be validated by crane', async () => {
    mkdirSync(folder('in'));
    writeFileSync(folder('in', 'file'), 'content');
    await copy(folder('in'), `docker-archive:${folder('out.tar')}`, 'in:1');
    expect(run('crane', 'validate', '--tarball', folder('out.tar'))).toMatch(/PASS/);
  });

  it.skipIf(!hasTool('skopeo', 'tar'))('of files say the platform that was asked for', async () => {
    for (const platform of ['linux/amd64', 'linux/arm64']) {
      const [os = '', arch = ''] = platform.split('/');
      const source = await openSource(import.meta.filename, {
        platforms: [{ os, architecture: arch }],
      });
      const sink = await openSink(`oci:${folder('layout')}`);
      const document = await readDocument(source, source.root);
      for (const one of [...childrenOf(document), source.root])
        await sink.write(one, source.read(one));
      await sink.commit(source.root, `file:${arch}`);
      await source.close();
      const inspected = JSON.parse(run('skopeo', 'inspect', `oci:${folder('layout')}:${arch}`));
      expect(inspected).toMatchObject({ Architecture: arch, Os: os });
    }
  });
});
