import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TransferResult } from '@reposure/core/transfer';
import { startRegistry } from '@reposure/local/registry';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { reposureHere } from '../support/cli-here.ts';
import { reposure, reposureOk } from '../support/cli.ts';
import { writeDockerArchive } from '../support/docker-archive.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { startMisbehaving } from '../support/misbehaving-registry.ts';

let world: EmbeddedWorld;
let directory: string;

const path = (name: string): string => join(directory, name);
const envOf = (state: string): Record<string, string> => ({
  ...world.env,
  XDG_STATE_HOME: path(state),
});
const run = (...words: string[]): Promise<Buffer> => reposureOk(words, { env: envOf('default') });

async function push(words: readonly string[], state = 'default'): Promise<TransferResult> {
  const all = ['image', 'push', 'default', ...words, '-o', 'json'];
  return JSON.parse((await reposureOk(all, { env: envOf(state) })).toString());
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reuse-cli-'));
  world = await startEmbeddedWorld();
  await run('operator', 'install', '--wait');
  await run('simple', 'install', '--wait');
  await run('registry', 'create', 'default', '--provider=simple', '--wait');
});
afterAll(async () => {
  await world.close();
  await rm(directory, { recursive: true, force: true });
});

describe('reposure image push', () => {
  it('has the surrogate check a layer of --cache-from, and neither packs nor sends it', async () => {
    const shared = randomBytes(300_000);
    const cache = await writeDockerArchive(path('cache.tar'), [shared]);
    const image = await writeDockerArchive(path('image.tar'), [shared, 'changed']);
    const exec = ['--route', 'exec', '--no-state'];
    await push(['team/cache:1', cache.path, ...exec]);
    const result = await push([
      'team/image:1',
      image.path,
      '--cache-from',
      'team/cache:1',
      ...exec,
    ]);
    expect(result).toMatchObject({
      route: { via: 'exec' },
      blobs: { transferred: 2, mounted: 1, reused: 0 },
      plan: [
        { from: 'send' },
        { from: 'same content', repository: 'team/cache' },
        { from: 'send' },
      ],
    });
    expect(result.bytes.transferred).toBeLessThan(10_000);
    const pulled = path('pulled');
    await run('image', 'pull', 'default', 'team/image:1', '--to', `oci:${pulled}`);
    expect(await readdir(pulled)).toContain('index.json');
  });

  it('remembers in $XDG_STATE_HOME, unless told not to', async () => {
    const { path: archive } = await writeDockerArchive(path('app.tar'), [randomBytes(200_000)]);
    await push(['team/app:1', archive, '--no-state'], 'none');
    expect(await readdir(directory)).not.toContain('none');
    await push(['team/app:1', archive], 'some');
    expect(await readdir(path('some/reposure/layers'))).toHaveLength(1);
    const elsewhere = await push(['team/other:1', archive], 'some');
    expect(elsewhere.blobs).toMatchObject({ mounted: 1 });
  });

  it('goes on where it cannot remember anything', async () => {
    await writeFile(path('file'), '');
    const { path: archive } = await writeDockerArchive(path('plain.tar'), ['plain']);
    const { status, stderr } = await reposure(['image', 'push', 'default', 'team/plain', archive], {
      env: { ...world.env, XDG_STATE_HOME: path('file') },
    });
    expect({ status, warned: stderr.includes('Warning') }).toEqual({ status: 0, warned: false });
  });

  it('shows on a dry run where each blob would come from', async () => {
    const shared = randomBytes(100_000);
    const one = await writeDockerArchive(path('one.tar'), [shared]);
    const two = await writeDockerArchive(path('two.tar'), [shared, 'more']);
    await push(['team/one:1', one.path], 'dry');
    const words = ['image', 'push', 'default', 'team/two:1', two.path, '--dry-run'];
    const text = (await reposureOk(words, { env: envOf('dry') })).toString();
    const rows = text.split('\n').filter((line) => line.startsWith('sha256:'));
    expect(rows.map((row) => row.split(/ {3,}/).at(-1))).toEqual([
      'send',
      'same content, team/one',
      'send',
    ]);
    expect(text).toContain('Would push team/two:1');
    const listed = (await run('image', 'list', 'default', '-o', 'name')).toString();
    expect(listed).not.toContain('team/two');
    const copying = ['image', 'copy', 'default', 'team/one:1', 'team/three:1', '--dry-run'];
    const copied = (await reposureOk(copying, { env: envOf('dry') })).toString();
    const places = copied.split('\n').filter((line) => line.startsWith('sha256:'));
    expect(places.map((row) => row.split(/ {3,}/).at(-1))).toEqual([
      'mount, team/one',
      'mount, team/one',
    ]);
  });

  it('counts what it tried again to open a source', async () => {
    const registry = await startRegistry({ directory: path('source') });
    onTestFinished(() => registry.close());
    let refusals = 0;
    const shaky = await startMisbehaving(registry.host, ({ url }) => {
      return !url.includes('/manifests/') || ++refusals > 1
        ? undefined
        : { status: 503, headers: {}, body: Buffer.from('later') };
    });
    onTestFinished(() => shaky.close());
    const { path: archive } = await writeDockerArchive(path('far.tar'), ['far']);
    await run('registry', 'create', 'source', `--host=${registry.host}`, '--insecure', '--wait');
    await run('image', 'push', 'source', 'team/far:1', archive, '--route=direct');
    const from = `docker://${shaky.host}/team/far:1`;
    expect((await push(['team/far:1', from, '--src-insecure'])).retries).toBe(1);
  });

  it('packs with zstd, and puts annotations on the manifest', async () => {
    const { path: archive } = await writeDockerArchive(path('zstd.tar'), [
      'some text'.repeat(1000),
    ]);
    const result = await push([
      'team/zstd:1',
      archive,
      '--compression=zstd',
      '--compression-level=9',
      '--annotation=a=b=c',
      '--annotation',
      'org.example.empty=',
    ]);
    expect(result.plan?.map(({ mediaType }) => mediaType)).toContain(
      'application/vnd.oci.image.layer.v1.tar+zstd',
    );
    const layout = path('zstd');
    await run('image', 'pull', 'default', 'team/zstd:1', '--to', `oci:${layout}`);
    const manifest = path(`zstd/blobs/${result.digest.replace(':', '/')}`);
    expect(JSON.parse(await readFile(manifest, 'utf8'))).toMatchObject({
      annotations: { a: 'b=c', 'org.example.empty': '' },
    });
  });

  it.each([
    ['a pair without a value', ['--annotation', 'alone'], /want KEY=VALUE/],
    ['all platforms and one', ['--platform', 'all', '--platform', 'linux/amd64'], /--platform=all/],
    ['a packing that there is none of', ['--compression', 'rar'], /Allowed choices/],
    ['a time that is none', ['--stall-timeout', 'soon'], /Cannot parse duration/],
    ['an image that no registry accepts', ['--cache-from', 'UPPER'], /lower-case/],
  ])('ends with 2 for %s', async (_, flags, message) => {
    const { path: archive } = await writeDockerArchive(path('wrong.tar'), ['text']);
    const words = ['image', 'push', 'default', 'team/wrong', archive, ...flags];
    const { status, stderr } = await reposureHere(words);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  it('ends with 2 for a level that there is none of', async () => {
    const { path: archive } = await writeDockerArchive(path('level.tar'), ['text']);
    const flags = ['--compression=gzip', '--compression-level=12'];
    const { status, stderr } = await reposure(
      ['image', 'push', 'default', 'team/wrong', archive, ...flags],
      { env: world.env },
    );
    expect(stderr).toMatch(/1 to 9/);
    expect(status).toBe(2);
  });
});
