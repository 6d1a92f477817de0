import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { reposure, reposureOk } from '../support/cli.ts';
import { makeImages } from '../support/images.ts';
import type { Images } from '../support/images.ts';
import { hasTool, tool } from '../support/tools.ts';

/** A Registry resource, and how other tools reach the registry behind it without Reposure. */
export interface RegistryUnderTest {
  /** Of the Registry resource. */
  readonly name: string;
  /** `host:port`, plain HTTP, from this machine. */
  readonly origin: string;
}

/** A cluster with the operator and a registry in it. */
export interface World {
  readonly env: Record<string, string>;
  /** The context's own by default. */
  readonly namespace?: string;
  readonly registry: RegistryUnderTest;
}

interface Result {
  readonly digest: string;
  readonly platforms: readonly { readonly platform: string; readonly digest: string }[];
  readonly route: { readonly via: string };
  readonly bytes: { readonly transferred: number };
}

const isEquipped = hasTool('buildah', 'skopeo', 'crane');

/** The main job in one place, and by one way. */
export interface MainJob {
  readonly title: string;
  readonly world: () => World;
  readonly route?: 'proxy' | 'exec';
  readonly protocol?: string;
  /** Whether this machine has the registry. */
  readonly isThere?: boolean;
  /** What depends on the way and on the registry, and not what is read and written here. */
  readonly isBrief?: boolean;
}

/** The main job, by the command line, checked with other tools straight at the registry; all on the same images. */
export function describeMainJobs(jobs: readonly MainJob[]): void {
  describe.skipIf(!isEquipped)('the main job (needs buildah, skopeo, crane)', () => {
    let directory: string;
    let images: Images;

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'main-job-'));
      images = await makeImages(directory);
    });

    afterAll(() => rm(directory, { recursive: true, force: true }));

    for (const job of jobs) describeMainJob(job.title, job, () => images);
  });
}

function describeMainJob(title: string, job: MainJob, made: () => Images): void {
  const { world, route = 'exec', protocol, isThere = true, isBrief = false } = job;
  describe.skipIf(!isThere)(`in ${title}`, () => {
    let directory: string;
    let images: Images;
    const flags = protocol ? ['--exec-protocol', protocol] : [];
    const scope = (): string[] => {
      const { namespace } = world();
      return namespace ? ['-n', namespace] : [];
    };
    // One repository per run: a real cluster is used by several.
    const repository = `e2e-${title.replaceAll(/\W+/g, '-').toLowerCase()}/app`;
    const at = (reference: string): string => `${world().registry.origin}/${reference}`;
    const run = (words: readonly string[], input?: Buffer): Promise<Buffer> =>
      reposureOk([...scope(), ...words, ...flags], {
        env: world().env,
        ...(input ? { input } : {}),
      });
    const push = async (name: string, source: string, ...more: string[]): Promise<Result> => {
      const words = [
        'image',
        'push',
        world().registry.name,
        name,
        source,
        `--route=${route}`,
        '-o',
        'json',
      ];
      return JSON.parse((await run([...words, ...more])).toString()) as Result;
    };
    const pull = (name: string, ...more: string[]): Promise<Buffer> =>
      run(['image', 'pull', world().registry.name, name, `--route=${route}`, ...more]);
    const inspect = async (reference: string): Promise<{ Digest: string; Layers: string[] }> =>
      JSON.parse(
        await tool('skopeo', 'inspect', '--tls-verify=false', `docker://${at(reference)}`),
      );
    const raw = async (reference: string): Promise<string> => {
      const bytes = await tool(
        'skopeo',
        'inspect',
        '--raw',
        '--tls-verify=false',
        `docker://${at(reference)}`,
      );
      return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    };

    beforeAll(async () => {
      images = made();
      directory = await mkdtemp(join(tmpdir(), 'main-job-'));
    });

    afterAll(() => rm(directory, { recursive: true, force: true }));

    it('pushes an OCI archive byte for byte, and sends nothing twice', async () => {
      const first = await push(`${repository}-oci:1`, images.ociArchive);
      const again = await push(`${repository}-oci:2`, images.ociArchive, '--tag', '2.0');
      expect(await raw(`${repository}-oci:1`)).toBe(first.digest);
      expect(await raw(`${repository}-oci:2.0`)).toBe(first.digest);
      expect(again.bytes.transferred).toBeLessThan(10_000);
      const copy = join(directory, 'copy');
      await tool(
        'skopeo',
        '--insecure-policy',
        'copy',
        '-q',
        '--src-tls-verify=false',
        `docker://${at(`${repository}-oci:1`)}`,
        `oci:${copy}:1`,
      );
      const original = join(directory, 'original');
      await tool(
        'skopeo',
        '--insecure-policy',
        'copy',
        '-q',
        `oci-archive:${images.ociArchive}:1.2.3`,
        `oci:${original}:1`,
      );
      expect(await blobsOf(copy)).toEqual(await blobsOf(original));
    });

    it('pushes and pulls an index of two platforms with every digest kept', async () => {
      const result = await push(`${repository}-multi:1.2.3`, images.layout);
      const index = JSON.parse(await readFile(join(images.layout, 'index.json'), 'utf8')) as {
        manifests: [{ digest: string }];
      };
      expect(result.digest).toBe(index.manifests[0].digest);
      expect(result.platforms.map(({ platform }) => platform)).toEqual([
        'linux/amd64',
        'linux/arm64',
      ]);
      expect(await raw(`${repository}-multi:1.2.3`)).toBe(result.digest);
      await tool('crane', 'validate', '--insecure', '--remote', at(`${repository}-multi:1.2.3`));
      const to = join(directory, 'multi');
      await pull(`${repository}-multi:1.2.3`, '--to', `oci:${to}`);
      expect(await blobsOf(to)).toEqual(await blobsOf(images.layout));
    });

    it('lists what was pushed, and deletes the tag that is named and only it', async () => {
      const { name } = world().registry;
      await push(`${repository}-tags:1.2.3`, images.ociArchive, '--tag', '1.2', '--tag', '1');
      const list = async (): Promise<string[]> =>
        (await run(['image', 'list', name, `${repository}-tags`, '-o', 'name']))
          .toString()
          .trim()
          .split('\n')
          .toSorted();
      expect(await list()).toEqual(['1', '1.2', '1.2.3'].map((tag) => `${repository}-tags:${tag}`));
      await run(['image', 'delete', name, `${repository}-tags:1.2`]);
      expect(await list()).toEqual(['1', '1.2.3'].map((tag) => `${repository}-tags:${tag}`));
      expect((await inspect(`${repository}-tags:1.2.3`)).Digest).toMatch(/^sha256:/);
      const gone = await reposure(
        [...scope(), 'image', 'delete', name, `${repository}-tags:1.2`, ...flags],
        {
          env: world().env,
        },
      );
      expect(gone).toMatchObject({ status: 1, stderr: expect.stringContaining('no such image') });
    });

    if (isBrief) return;

    it('pushes an archive of docker save, dotted tag and all, as skopeo and crane see it', async () => {
      const result = await push(`${repository}:1.2.3`, images.dockerArchive);
      expect(result.route.via).toBe(route);
      expect((await inspect(`${repository}:1.2.3`)).Digest).toBe(result.digest);
      await tool('crane', 'validate', '--insecure', '--remote', at(`${repository}:1.2.3`));
      // The image that skopeo reads from the registry is the one in the archive: same ID, same layers.
      const there = await configOf(`docker://${at(`${repository}:1.2.3`)}`);
      const here = await configOf(`docker-archive:${images.dockerArchive}`);
      expect(there).toEqual(here);
    });

    it('pulls a docker archive that skopeo reads', async () => {
      const file = join(directory, 'pulled.tar');
      await pull(`${repository}:1.2.3`, '--to', `docker-archive:${file}`);
      expect(await configOf(`docker-archive:${file}`)).toEqual(
        await configOf(`docker-archive:${images.dockerArchive}`),
      );
    });

    it('pushes a single file, and unpacks it to standard output', async () => {
      const file = join(directory, 'hello.txt');
      await writeFile(file, 'hello from a file\n');
      const result = await push(`${repository}-hello`, file);
      expect((await inspect(`${repository}-hello`)).Digest).toBe(result.digest);
      expect((await pull(`${repository}-hello`, '--unpack')).toString()).toBe(
        'hello from a file\n',
      );
      await tool('crane', 'validate', '--insecure', '--remote', at(`${repository}-hello:latest`));
    });

    it('pushes a folder, and unpacks it again with modes and links', async () => {
      const folder = join(directory, 'site');
      await mkdir(join(folder, 'sub'), { recursive: true });
      await writeFile(join(folder, 'sub', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
      await tool('ln', '-s', 'sub/run.sh', join(folder, 'link'));
      await push(`${repository}-site:7`, folder);
      const to = join(directory, 'unpacked');
      await pull(`${repository}-site:7`, '--unpack', '--to', to);
      await tool('diff', '-r', '--no-dereference', folder, to);
      expect((await stat(join(to, 'sub', 'run.sh'))).mode & 0o777).toBe(0o755);
    });

    it('reads an archive from standard input, compressed or not', async () => {
      const words = [
        'image',
        'push',
        world().registry.name,
        `${repository}-stdin`,
        '-',
        '-o',
        'name',
      ];
      const plain = await readFile(images.dockerArchive);
      const first = await run(words, plain);
      const second = await run(words, gzipSync(plain));
      expect(second.toString()).toBe(first.toString());
      expect(first.toString()).toMatch(/@sha256:[0-9a-f]{64}\n$/);
    });
  });
}

/** The configuration that skopeo reads, as text: it names the layers by their diffIds. */
function configOf(image: string): Promise<string> {
  return tool('skopeo', 'inspect', '--config', '--raw', '--tls-verify=false', image);
}

/** The names of the blobs of a layout, each checked to hold what it is named after. */
async function blobsOf(layout: string): Promise<string[]> {
  const folder = join(layout, 'blobs', 'sha256');
  const found = (await readdir(folder)).toSorted();
  for (const hex of found) {
    const bytes = await readFile(join(folder, hex));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(hex);
  }
  return found;
}
