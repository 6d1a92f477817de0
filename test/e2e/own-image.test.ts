import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { version } from '@reposure/core';
import { names } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reposureOk } from '../support/cli.ts';
import { buildContainerfile, machineRootfs } from '../support/containerfile-image.ts';
import type { ContainerfileImage } from '../support/containerfile-image.ts';
import { findDistribution, startDistribution } from '../support/registries.ts';
import { hasTool, runProgram, tool } from '../support/tools.ts';

const image = fileURLToPath(new URL('../../operator/image.ts', import.meta.url));

interface Inspected {
  readonly Digest: string;
  readonly Os: string;
  readonly Layers: string[];
  readonly Labels: Record<string, string>;
}

describe.skipIf(!hasTool('buildah', 'skopeo'))('our image', { timeout: 300_000 }, () => {
  let folder: string;
  let built: ContainerfileImage;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'own-image-'));
    built = await buildContainerfile(folder);
    await machineRootfs(join(folder, 'rootfs'));
  }, 300_000);

  afterAll(async () => {
    await tool('buildah', ...built.storage, 'rm', '--all');
    await rm(folder, { recursive: true, force: true });
  });

  async function npmImage(...words: readonly string[]): Promise<string> {
    // Packing takes most of the time, and is tested with what packs.
    const program = [process.execPath, image, '--compression', 'none', ...words];
    const { status, stdout, stderr } = await runProgram(program);
    expect(stderr).toContain('Built');
    expect(status).toBe(0);
    return stdout.toString().trim();
  }

  /** What skopeo says of the config, as far as it says how a container starts. */
  async function startOf(source: string): Promise<object> {
    const text = await tool('skopeo', '--insecure-policy', 'inspect', '--config', source);
    const { config } = JSON.parse(text) as { config: Record<string, unknown> };
    const { User, Entrypoint, Env } = config;
    return { User, Entrypoint, Env };
  }

  it('starts in the same way, however it was built', async () => {
    const to = `oci-archive:${join(folder, 'a.tar')}`;
    const reference = await npmImage('--rootfs', join(folder, 'rootfs'), '--to', to);
    const inspected = await tool('skopeo', '--insecure-policy', 'inspect', to);
    const { Digest, Os, Labels } = JSON.parse(inspected) as Inspected;
    expect(reference).toBe(`${names.image(version).replace(/:[^:]*$/, '')}@${Digest}`);
    expect([Os, Labels['org.opencontainers.image.version']]).toEqual(['linux', version]);
    expect(await startOf(to)).toEqual(await startOf(`oci-archive:${built.archive}`));
  });

  it('is the same to the byte when it is built again, and runs without a shell', async () => {
    const again = `oci-archive:${join(folder, 'b.tar')}`;
    await npmImage('--rootfs', join(folder, 'rootfs'), '--to', again);
    await tool('cmp', join(folder, 'a.tar'), join(folder, 'b.tar'));
    const storage = ['--root', join(folder, 'own'), '--runroot', join(folder, 'run')];
    const pulled = (await tool('buildah', ...storage, 'from', again)).trim();
    const shown = await tool('buildah', ...storage, 'run', pulled, '--', 'reposure', 'version');
    expect(shown).toContain(version);
    const shell = tool('buildah', ...storage, 'run', pulled, '--', 'sh', '-c', 'true');
    await expect(shell).rejects.toThrow(/sh/);
    await tool('buildah', ...storage, 'rm', '--all');
  });

  it.skipIf(!findDistribution('3'))(
    'is the same on an image that lies in a registry, whose layers it keeps',
    async () => {
      const registry = await startDistribution({ version: '3' });
      try {
        const base = `docker://${registry?.host}/library/node:24`;
        const own = `oci-archive:${join(folder, 'a.tar')}`;
        const copy = ['--insecure-policy', 'copy', '-q', '--dest-tls-verify=false'];
        await tool('skopeo', ...copy, own, base);
        const layersOf = async (source: string): Promise<string[]> =>
          (JSON.parse(await tool('skopeo', 'inspect', '--tls-verify=false', source)) as Inspected)
            .Layers;
        const buildAs = async (name: string): Promise<string> => {
          const to = `oci-archive:${join(folder, name)}`;
          const words = ['--insecure', '--to', to];
          return npmImage('--base', base, ...words);
        };
        expect(await buildAs('d.tar')).toBe(await buildAs('e.tar'));
        const under = await layersOf(base);
        expect((await layersOf(`oci-archive:${join(folder, 'd.tar')}`)).slice(0, -1)).toEqual(
          under,
        );
      } finally {
        await registry?.close();
      }
    },
  );

  it('runs as the Containerfile has it', async () => {
    const { storage, name } = built;
    const made = (await tool('buildah', ...storage, 'from', '--pull-never', name)).trim();
    for (const program of ['reposure', 'reposure-operator', 'reposure-surrogate']) {
      const shown = await tool('buildah', ...storage, 'run', made, '--', program, '--help');
      expect(shown).toContain(program);
    }
  });

  it('is saved to an archive and put into another without a change', async () => {
    const [from, to] = [`oci-archive:${join(folder, 'a.tar')}`, `oci:${join(folder, 'saved')}`];
    const printed = await reposureOk(['operator', 'image', 'save', from, '--to', to, '-o', 'name']);
    const { Digest } = JSON.parse(
      await tool('skopeo', '--insecure-policy', 'inspect', from),
    ) as Inspected;
    expect(printed.toString().trim()).toBe(`${names.image(version)}@${Digest}`);
    const layout = `${to}:${version}`;
    const saved = JSON.parse(
      await tool('skopeo', '--insecure-policy', 'inspect', layout),
    ) as Inspected;
    expect(saved.Digest).toBe(Digest);
  });

  it.each([
    [[], 2, /want either --rootfs.*or --base/],
    [['--rootfs', '/nowhere'], 2, /there is no usr\/local\/bin\/node in it/],
    [['--rootfs', '/nowhere', '--compression', 'lzma'], 2, /want gzip, zstd, none/],
    [['--base', 'oci:/nowhere'], 1, /nowhere/],
    [['--colour'], 2, /Usage: npm run image/],
  ])('npm run image %j ends with %i', async (words, expected, message) => {
    const { status, stderr } = await runProgram([process.execPath, image, ...words]);
    expect(stderr).toMatch(message);
    expect(status).toBe(expected);
  });
});
