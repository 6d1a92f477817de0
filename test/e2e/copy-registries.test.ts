import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { collect, streamOf, UnreachableError } from '@reposure/core';
import type { ByteStream } from '@reposure/core';
import { mediaTypes, parseDigest } from '@reposure/core/oci';
import type { Transport } from '@reposure/core/registry';
import type { Route } from '@reposure/core/surrogate';
import { copy, openImage, parseImageName, remoteRoute } from '@reposure/core/transfer';
import type { CopyOptions, CopyResult } from '@reposure/core/transfer';
import { startRegistry } from '@reposure/local/registry';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { findDistribution, startDistribution } from '../support/registries.ts';
import { hasTool, tool } from '../support/tools.ts';
import { PlainRepository, writeArtifact, writeSignedImage } from './copy-fixture.ts';
import type { SignedImage } from './copy-fixture.ts';

/** `embedded` has the referrers API, the two versions of Distribution have not. */
type Kind = 'embedded' | 'distribution2' | 'distribution3';

const hosts = new Map<Kind, string>();
const routes = new Map<Kind, Route>();
const closers: (() => Promise<void>)[] = [];
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'copy-'));
  const embedded = await startRegistry({ directory: join(directory, 'registry') });
  const running = [
    ['embedded', embedded],
    ['distribution2', await startDistribution({ version: '2' })],
    ['distribution3', await startDistribution({ version: '3' })],
  ] as const;
  for (const [kind, registry] of running) {
    if (!registry) continue;
    const route = await remoteRoute(registry.host, { insecure: true });
    hosts.set(kind, registry.host);
    routes.set(kind, route);
    closers.push(
      () => route.close(),
      () => registry.close(),
    );
  }
});

afterAll(async () => {
  for (const close of closers) await close();
  await rm(directory, { recursive: true, force: true });
});

const isThere = (kind: Kind): boolean =>
  kind === 'embedded' || findDistribution(kind === 'distribution2' ? '2' : '3') !== undefined;
const at = (kind: Kind, repository: string): PlainRepository =>
  new PlainRepository(hosts.get(kind) ?? '', repository);

/** The way to a registry, which some tests change on the way. */
function routeTo(kind: Kind, change: (transport: Transport) => Transport = (same) => same): Route {
  const route = routes.get(kind);
  if (!route) throw new Error(`${kind} is not on this machine`);
  return { ...route, request: change(route.request) };
}

interface Ends {
  readonly from?: Kind;
  readonly to?: Kind;
  readonly source: string;
  readonly destination: string;
  readonly options?: CopyOptions;
}

const copyBetween = ({
  from = 'embedded',
  to = 'distribution2',
  source,
  destination,
  options,
}: Ends): Promise<CopyResult> => {
  const { repository, tag = 'latest' } = parseImageName(destination);
  return copy(
    { route: routeTo(from), target: parseImageName(source) },
    { route: routeTo(to), destination: { repository, tags: [tag] } },
    options,
  );
};

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** What of an image and its referrers is in a repository, as plain HTTP shows it. */
async function seen(repository: PlainRepository, tag: string, image: SignedImage): Promise<object> {
  const { index, images, attestations, sbom, cosign } = image;
  const tagOf = (digest: string, suffix: string): string => `${digest.replace(':', '-')}.${suffix}`;
  const children = [...images, ...attestations].map(({ digest }) => repository.find(digest));
  return {
    tag: (await repository.find(tag))?.digest,
    children: (await Promise.all(children)).map((found) => found?.digest),
    sboms: (await repository.referrersOf(index.digest)).map(({ digest }) => digest),
    signatures: (await repository.referrersOf(sbom.digest)).map(({ digest }) => digest),
    sig: (await repository.find(tagOf(index.digest, 'sig')))?.digest,
    att: (await repository.find(tagOf(images[0]?.digest ?? '', 'att')))?.digest,
    cosign: Object.keys(cosign),
  };
}

describe.each([
  ['embedded', 'distribution2'],
  ['distribution2', 'embedded'],
  ['distribution2', 'distribution3'],
  ['embedded', 'embedded'],
] as const)('copy() from %s to %s', (from, to) => {
  const isEquipped = isThere(from) && isThere(to);
  const source = `team/${from}-${to}`;
  const mirror = `mirror/${from}-${to}`;
  let image: SignedImage;
  let result: CopyResult;

  beforeAll(async () => {
    if (!isEquipped) return;
    image = await writeSignedImage(at(from, source), '1');
    const options = { pushHost: 'pods:1', pullHost: 'nodes:1' };
    const ends = { from, to, source: `${source}:1`, destination: `${mirror}:prod`, options };
    result = await copyBetween(ends);
  });

  it.skipIf(!isEquipped)('takes every platform, attestation and referrer along', async () => {
    const there = await seen(at(to, mirror), 'prod', image);
    expect(there).toEqual(await seen(at(from, source), '1', image));
    expect(there).toMatchObject({
      tag: image.index.digest,
      sboms: [image.sbom.digest],
      signatures: [image.sbomSignature.digest],
      sig: image.cosign.sig.digest,
      att: image.cosign.att.digest,
    });
    expect(result).toMatchObject({
      action: 'copy',
      source: `${source}:1`,
      digest: image.index.digest,
      tags: ['prod'],
      pullRefs: [`nodes:1/${mirror}:prod`],
      platforms: [{ platform: 'linux/amd64' }, { platform: 'linux/arm64' }],
    });
    const { sbom, sbomSignature, cosign } = image;
    const referrers = [sbom, sbomSignature, cosign.sig, cosign.att].map(({ digest }) => digest);
    expect(result.referrers.map(({ digest }) => digest).toSorted()).toEqual(referrers.toSorted());
  });

  it.skipIf(!isEquipped || !hasTool('crane', 'skopeo'))(
    'is what other tools find whole',
    async () => {
      const reference = `${hosts.get(to)}/${mirror}:prod`;
      const { digest } = image.index;
      expect((await tool('crane', 'digest', '--insecure', reference)).trim()).toBe(digest);
      // Image by image: crane takes the layers of attestations for none.
      for (const { digest: of } of image.images) {
        const remote = `${hosts.get(to)}/${mirror}@${of}`;
        await tool('crane', 'validate', '--insecure', '--remote', remote);
      }
      const all = ['--insecure-policy', 'copy', '-q', '--all', '--preserve-digests'];
      const layout = join(directory, `${from}-${to}`);
      await tool(
        'skopeo',
        ...all,
        '--src-tls-verify=false',
        `docker://${reference}`,
        `oci:${layout}`,
      );
      const { manifests } = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as {
        manifests: { digest: string }[];
      };
      expect(manifests.map((entry) => entry.digest)).toEqual([digest]);
    },
  );
});

describe('copy()', () => {
  it('goes by digest, and says what the tag named before', async () => {
    const { index: old } = await writeSignedImage(at('embedded', 'team/promoted'), 'prod');
    const { index } = await writeSignedImage(at('embedded', 'team/promoted'), '2');
    const promote = { to: 'embedded', source: `team/promoted@${index.digest}` } as const;
    const first = await copyBetween({ ...promote, destination: 'team/promoted:prod' });
    expect(first.previousDigest).toBe(old.digest);
    expect((await at('embedded', 'team/promoted').find('prod'))?.digest).toBe(index.digest);
    const back = await copyBetween({
      to: 'embedded',
      source: `team/promoted@${first.previousDigest}`,
      destination: 'team/promoted:prod',
    });
    expect(back.previousDigest).toBe(index.digest);
    expect((await at('embedded', 'team/promoted').find('prod'))?.digest).toBe(old.digest);
  });

  it('writes nothing if the source is not the digest that is expected', async () => {
    const { index } = await writeSignedImage(at('embedded', 'team/expected'), '1');
    const requests: string[] = [];
    const noting =
      (transport: Transport): Transport =>
      (asked) => {
        requests.push(asked.method);
        return transport(asked);
      };
    const expectDigest = parseDigest(`sha256:${'0'.repeat(64)}`);
    const from = { route: routeTo('embedded'), target: parseImageName('team/expected:1') };
    const destination = { repository: 'team/unexpected', tags: ['1'] };
    const to = { route: routeTo('embedded', noting), destination };
    const failure = await failureOf(copy(from, to, { expectDigest }));
    expect(failure).toMatchObject({ code: 'CONTENT_MISMATCH' });
    expect(String(failure)).toContain(index.digest);
    expect(requests).toEqual([]);
    const { digest } = await copy(from, to, { expectDigest: index.digest });
    expect(digest).toBe(index.digest);
  });

  it('writes nothing if the tag of a signature is taken, and is told to keep tags', async () => {
    const { index } = await writeSignedImage(at('embedded', 'team/keeps'), '1');
    const ends = { source: 'team/keeps:1', destination: 'mirror/keeps:1', to: 'embedded' } as const;
    const tag = `${index.digest.replace(':', '-')}.sig`;
    const mirror = at('embedded', 'mirror/keeps');
    const config = await mirror.putBlob(Buffer.from('{}'), mediaTypes.ociEmpty);
    await mirror.putManifest({ config, layers: [config] }, tag);
    const failure = await failureOf(copyBetween({ ...ends, options: { overwrite: false } }));
    expect(failure).toMatchObject({ code: 'CONTENT_MISMATCH' });
    expect(String(failure)).toContain(`mirror/keeps:${tag}`);
    expect(await mirror.find(index.digest)).toBeUndefined();
    expect(await mirror.tags()).toEqual([tag]);
  });

  it('copies one platform, with what refers to it and nothing else', async () => {
    const image = await writeSignedImage(at('embedded', 'team/narrow'), '1');
    const platforms = [{ os: 'linux', architecture: 'amd64' }];
    const options = { platforms, expectDigest: image.index.digest };
    const ends = { source: 'team/narrow:1', destination: 'mirror/narrow:1', options } as const;
    const result = await copyBetween({ ...ends, to: 'embedded' });
    expect(result.digest).toBe(image.images[0]?.digest);
    expect(result.referrers.map(({ digest }) => digest)).toEqual([image.cosign.att.digest]);
    const mirror = at('embedded', 'mirror/narrow');
    expect(await mirror.find(image.index.digest)).toBeUndefined();
    expect(await mirror.find(image.images[1]?.digest ?? '')).toBeUndefined();
    const missing = { ...ends, options: { platforms: [{ os: 'plan9', architecture: 'mips' }] } };
    expect(await failureOf(copyBetween({ ...missing, to: 'embedded' }))).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('linux/amd64, linux/arm64') as string,
    });
  });

  it('streams what the registry does not mount', async () => {
    const { index } = await writeSignedImage(at('embedded', 'team/unmounted'), '1', 300_000);
    const route = routeTo(
      'embedded',
      (transport) => (asked) => transport({ ...asked, path: asked.path.replace(/\?mount=.*/, '') }),
    );
    const from = { route, target: parseImageName('team/unmounted:1') };
    const to = { route, destination: { repository: 'mirror/unmounted', tags: ['1'] } };
    const { blobs } = await copy(from, to);
    expect(blobs).toMatchObject({ mounted: 0, transferred: 10 });
    expect((await at('embedded', 'mirror/unmounted').find('1'))?.digest).toBe(index.digest);
  });

  it('refuses referrers of referrers that never end', async () => {
    const source = at('embedded', 'team/deep');
    const { sbomSignature } = await writeSignedImage(source, '1');
    let subject = sbomSignature;
    for (let generation = 3; generation <= 5; generation++) {
      subject = await writeArtifact(source, `application/vnd.example.g${generation}`, subject);
    }
    const names = { source: 'team/deep:1', destination: 'mirror/deep:1' };
    expect(await failureOf(copyBetween({ ...names, to: 'embedded' }))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('--no-referrers') as string,
    });
    expect(await at('embedded', 'mirror/deep').find('1')).toBeUndefined();
  });

  it('leaves referrers behind if it is told to', async () => {
    const { index } = await writeSignedImage(at('embedded', 'team/alone'), '1');
    const options = { referrers: false };
    const ends = { source: 'team/alone:1', destination: 'mirror/alone:1', options } as const;
    const { referrers } = await copyBetween({ ...ends, to: 'embedded' });
    expect(referrers).toEqual([]);
    const mirror = at('embedded', 'mirror/alone');
    expect(await mirror.tags()).toEqual(['1']);
    expect(await mirror.referrersOf(index.digest)).toEqual([]);
  });

  it('says what would travel on a dry run, and writes nothing', async () => {
    const image = await writeSignedImage(at('embedded', 'team/dry'), '1');
    const options = { dryRun: true };
    const ends = { source: 'team/dry:1', destination: 'mirror/dry:1', options } as const;
    const result = await copyBetween({ ...ends, to: 'embedded' });
    expect(result).toMatchObject({ dryRun: true, digest: image.index.digest });
    expect(result.referrers).toHaveLength(4);
    expect(result.blobs.transferred).toBe(10);
    const mirror = at('embedded', 'mirror/dry');
    expect(await mirror.find('1')).toBeUndefined();
    expect(await mirror.find(image.index.digest)).toBeUndefined();
  });

  it('says which image is not there', async () => {
    const ends = { source: 'team/none:1', destination: 'mirror/none:1' };
    expect(await failureOf(copyBetween({ ...ends, to: 'embedded' }))).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('team/none:1') as string,
    });
  });

  it('mounts what another repository of the same registry has', async () => {
    await writeSignedImage(at('embedded', 'team/mounted'), '1', 300_000);
    let passedBytes = 0;
    const route = routeTo('embedded', (transport) => async (asked) => {
      const response = await transport(asked);
      if (!asked.path.includes('/blobs/') || asked.method === 'HEAD') return response;
      if (asked.body) passedBytes += Number(asked.headers?.['content-length'] ?? 0);
      if (asked.method === 'GET') passedBytes += Number(response.headers['content-length']);
      return response;
    });
    const from = { route, target: parseImageName('team/mounted:1') };
    const to = { route, destination: { repository: 'mirror/mounted', tags: ['1'] } };
    const { blobs, bytes } = await copy(from, to);
    // The configs of signatures, which might name a platform; each has 16 bytes.
    expect(passedBytes).toBeLessThan(100);
    expect(blobs).toMatchObject({ mounted: 10, transferred: 0 });
    expect(bytes.transferred).toBeLessThan(10_000);
  });
});

describe('copy(), where the registry has no referrers API', () => {
  it.skipIf(!isThere('distribution2'))('adds to the list of referrers that is there', async () => {
    const source = at('embedded', 'team/merged');
    const mirror = at('distribution2', 'mirror/merged');
    const { index, sbom } = await writeSignedImage(source, '1');
    const ends = { source: 'team/merged:1', destination: 'mirror/merged:1' };
    await copyBetween({ ...ends, options: { referrers: false } });
    const own = await writeArtifact(mirror, 'application/vnd.example.review', index);
    await copyBetween(ends);
    const digests = async (): Promise<string[]> =>
      (await mirror.referrersOf(index.digest)).map(({ digest }) => digest).toSorted();
    expect(await digests()).toEqual([own.digest, sbom.digest].toSorted());
    await copyBetween(ends);
    expect(await digests()).toEqual([own.digest, sbom.digest].toSorted());
    const listed = await mirror.referrersOf(index.digest);
    expect(listed.map(({ artifactType }) => artifactType)).toEqual([
      'application/vnd.example.review',
      'application/spdx+json',
    ]);
  });

  it.skipIf(!isThere('distribution2'))(
    'copies what is there of a list that is out of date',
    async () => {
      const source = at('distribution2', 'team/stale');
      const { index, sbom } = await writeSignedImage(source, '1');
      const gone = await writeArtifact(source, 'application/vnd.example.gone', index);
      await fetch(`http://${hosts.get('distribution2')}/v2/team/stale/manifests/${gone.digest}`, {
        method: 'DELETE',
      });
      const warnings: string[] = [];
      const log = { debug: () => {}, info: () => {}, warn: (text: string) => warnings.push(text) };
      const ends = { from: 'distribution2', to: 'embedded' } as const;
      const result = await copyBetween({
        ...ends,
        source: 'team/stale:1',
        destination: 'mirror/stale:1',
        options: { log },
      });
      const digests = result.referrers.map(({ digest }) => digest);
      expect(digests).toContain(sbom.digest);
      expect(digests).not.toContain(gone.digest);
      expect(warnings.join('\n')).toContain(gone.digest);
    },
  );

  it.skipIf(!isThere('distribution2'))('lists anew what is left of a list', async () => {
    const source = at('embedded', 'team/left');
    const mirror = at('distribution2', 'mirror/left');
    const { index, sbom } = await writeSignedImage(source, '1');
    const names = { source: 'team/left:1', destination: 'mirror/left:1' };
    await copyBetween({ ...names, options: { referrers: false } });
    const gone = await writeArtifact(mirror, 'application/vnd.example.gone', index);
    await fetch(`http://${hosts.get('distribution2')}/v2/mirror/left/manifests/${gone.digest}`, {
      method: 'DELETE',
    });
    await copyBetween(names);
    const listed = await mirror.referrersOf(index.digest);
    expect(listed.map(({ digest }) => digest)).toEqual([sbom.digest]);
  });
});

describe('copy(), when something breaks', () => {
  /** Cuts the answers of large blobs, after so many bytes, as often as told. */
  const cutting = (times: number): { change: (to: Transport) => Transport; cuts: () => number } => {
    let cuts = 0;
    async function* cut(body: ByteStream): AsyncGenerator<Uint8Array, void> {
      let bytes = 0;
      for await (const chunk of body) {
        bytes += chunk.byteLength;
        if (bytes > 100_000 && cuts < times) {
          cuts++;
          throw new UnreachableError('the cable was pulled');
        }
        yield chunk;
      }
    }
    const change =
      (transport: Transport): Transport =>
      async (asked) => {
        const response = await transport(asked);
        return { ...response, body: cut(response.body) };
      };
    return { change, cuts: () => cuts };
  };

  it('goes on where a connection to the source was lost, without a second upload', async () => {
    const { index } = await writeSignedImage(at('embedded', 'team/cut'), '1', 500_000);
    const { change, cuts } = cutting(3);
    let sentBytes = 0;
    const counting =
      (transport: Transport): Transport =>
      (asked) => {
        sentBytes += Number(asked.headers?.['content-length'] ?? 0);
        return transport(asked);
      };
    const from = { route: routeTo('embedded', change), target: parseImageName('team/cut:1') };
    const destination = { repository: 'mirror/cut', tags: ['1'] };
    const to = { route: routeTo('embedded', counting), destination };
    const result = await copy(from, to, { referrers: false });
    expect(cuts()).toBe(3);
    expect(result.digest).toBe(index.digest);
    expect(sentBytes).toBeLessThan(1.01 * result.bytes.total);
  });

  it('names the source that fails for good, and leaves no tag', async () => {
    await writeSignedImage(at('embedded', 'team/lost'), '1', 500_000);
    const { change } = cutting(Infinity);
    const wire =
      (transport: Transport): Transport =>
      async (asked) => {
        if (!asked.path.includes('/blobs/') || !asked.headers?.['range'])
          return change(transport)(asked);
        throw new UnreachableError('still no cable');
      };
    const from = {
      route: routeTo('embedded', wire),
      target: parseImageName('team/lost:1'),
      prefix: 'docker://far/',
    };
    const to = {
      route: routeTo('embedded'),
      destination: { repository: 'mirror/lost', tags: ['1'] },
    };
    const failure = await failureOf(copy(from, to, { retries: 1 }));
    expect(failure).toMatchObject({
      name: 'SourceError',
      code: 'UNREACHABLE',
      message: 'Cannot read docker://far/team/lost:1',
    });
    expect(await at('embedded', 'mirror/lost').find('1')).toBeUndefined();
  });

  it('fails if a referrer cannot be read, before anything is written', async () => {
    const { sbom } = await writeSignedImage(at('embedded', 'team/unreadable'), '1');
    const refusing =
      (transport: Transport): Transport =>
      async (asked) => {
        if (!asked.path.endsWith(sbom.digest) || asked.path.includes('/referrers/')) {
          return transport(asked);
        }
        return {
          status: 500,
          headers: {},
          body: streamOf(),
          discard: async () => {},
        };
      };
    const from = {
      route: routeTo('embedded', refusing),
      target: parseImageName('team/unreadable:1'),
    };
    const written: string[] = [];
    const noting =
      (transport: Transport): Transport =>
      (asked) => {
        written.push(asked.method);
        return transport(asked);
      };
    const to = {
      route: routeTo('embedded', noting),
      destination: { repository: 'mirror/unreadable', tags: ['1'] },
    };
    expect(await failureOf(copy(from, to, { retries: 0 }))).toMatchObject({
      name: 'SourceError',
      code: 'REGISTRY_RESPONSE',
    });
    expect(written).toEqual([]);
  });

  it('fails if a referrer cannot be written, and leaves no tag', async () => {
    const { index, sbom } = await writeSignedImage(at('embedded', 'team/unwritable'), '1');
    const refusing =
      (transport: Transport): Transport =>
      async (asked) => {
        const isSbom = asked.method === 'PUT' && asked.path.endsWith(sbom.digest);
        if (!isSbom) return transport(asked);
        return { status: 507, headers: {}, body: streamOf(), discard: async () => {} };
      };
    const from = { route: routeTo('embedded'), target: parseImageName('team/unwritable:1') };
    const to = {
      route: routeTo('embedded', refusing),
      destination: { repository: 'mirror/unwritable', tags: ['1'] },
    };
    expect(await failureOf(copy(from, to))).toMatchObject({ name: 'RegistryError', status: 507 });
    const mirror = at('embedded', 'mirror/unwritable');
    expect(await mirror.find(index.digest)).toBeDefined();
    expect(await mirror.find('1')).toBeUndefined();
  });

  it('refuses a blob that is not what its manifest says, and leaves no tag', async () => {
    await writeSignedImage(at('embedded', 'team/altered'), '1');
    const altering =
      (transport: Transport): Transport =>
      async (asked) => {
        const response = await transport(asked);
        if (!asked.path.includes('/blobs/')) return response;
        async function* altered(): AsyncGenerator<Uint8Array, void> {
          for await (const chunk of response.body) yield Buffer.from(chunk).fill(0, 0, 1);
        }
        return { ...response, body: altered() };
      };
    const from = { route: routeTo('embedded', altering), target: parseImageName('team/altered:1') };
    const to = {
      route: routeTo('embedded'),
      destination: { repository: 'mirror/altered', tags: ['1'] },
    };
    expect(await failureOf(copy(from, to))).toMatchObject({ code: 'CONTENT_MISMATCH' });
    expect(await at('embedded', 'mirror/altered').find('1')).toBeUndefined();
  });

  it('ends when it is told to, and a later copy finishes it', async () => {
    const { index } = await writeSignedImage(at('embedded', 'team/stopped'), '1', 500_000);
    const ended = new AbortController();
    const stopping =
      (transport: Transport): Transport =>
      async (asked) => {
        if (asked.method === 'PATCH') ended.abort(new Error('enough'));
        return await transport(asked);
      };
    const from = { route: routeTo('embedded'), target: parseImageName('team/stopped:1') };
    const destination = { repository: 'mirror/stopped', tags: ['1'] };
    const to = { route: routeTo('embedded', stopping), destination };
    const failure = await failureOf(copy(from, to, { signal: ended.signal }));
    expect(failure).toMatchObject({ message: 'enough' });
    expect(await at('embedded', 'mirror/stopped').tags()).toEqual([]);
    await copy(from, { route: routeTo('embedded'), destination });
    expect((await at('embedded', 'mirror/stopped').find('1'))?.digest).toBe(index.digest);
  });
});

describe('openImage() of docker://', () => {
  it('reads what is there, narrowed, and resumes in the middle', async () => {
    const { images } = await writeSignedImage(at('embedded', 'team/opened'), '1');
    const source = await openImage(`docker://${hosts.get('embedded')}/team/opened:1`, {
      access: { insecure: true },
      platforms: [{ os: 'linux', architecture: 'arm64' }],
    });
    onTestFinished(() => source.close());
    expect(source.root.digest).toBe(images[1]?.digest);
    const whole = await collect(source.read(source.root), 'it', 1e9);
    const { layers } = JSON.parse(whole.toString()) as {
      layers: [{ mediaType: string; digest: never; size: number }];
    };
    const content = await collect(source.read(layers[0]), 'it', 1e9);
    const rest = await collect(source.read(layers[0], { offset: 70_000 }), 'it', 1e9);
    expect(content).toHaveLength(layers[0].size);
    expect(rest.equals(content.subarray(70_000))).toBe(true);
  });

  it('speaks plain HTTP to nobody unless it is told to', async () => {
    const text = `docker://${hosts.get('embedded')}/team/opened:1`;
    expect(await failureOf(openImage(text, { retries: 0 }))).toMatchObject({ code: 'UNREACHABLE' });
  });

  it.each(['docker://busybox', 'docker://team/app:1', 'docker://h:1/Upper', 'docker://'])(
    'refuses %s, which names no registry or no image',
    async (text) => {
      expect(await failureOf(openImage(text))).toMatchObject({ code: 'INPUT_INVALID' });
    },
  );

  it('refuses to pack anew what has a digest', async () => {
    const failure = await failureOf(openImage('docker://h:1/a', { compression: 'zstd' }));
    expect(failure).toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('copy()', () => {
  it('puts nothing on disk', async () => {
    const place = join(directory, 'tmp');
    process.env['TMPDIR'] = place;
    onTestFinished(() => void delete process.env['TMPDIR']);
    const { index } = await writeSignedImage(at('embedded', 'team/large'), '1', 1_000_000);
    const ends = { source: 'team/large:1', destination: 'mirror/large:1' };
    // The folder does not exist: whoever wants to put something there fails.
    expect((await copyBetween({ ...ends, to: 'embedded' })).digest).toBe(index.digest);
    await expect(readdir(place)).rejects.toThrow(/ENOENT/);
  });
});
