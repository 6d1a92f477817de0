import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { findDistribution, startDistribution } from '../../../test/support/registries.ts';
import type { RunningRegistry } from '../../../test/support/registries.ts';
import { collect, streamOf } from '../bytes.ts';
import { NotFoundError, UnsupportedError } from '../errors.ts';
import { digestOf, documentOf, mediaTypes } from '../oci/index.ts';
import type { Descriptor, Document } from '../oci/index.ts';
import { RegistryClient } from './client.ts';
import type { Credentials } from './credentials.ts';
import { directTransport } from './direct.ts';
import type { ClosableTransport } from './direct.ts';
import { AuthenticationError } from './registry-error.ts';

const username = 'someone';
const password = 'pass:word';

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.catch((e: unknown) => e);

async function pushBlob(
  client: RegistryClient,
  repository: string,
  bytes: Buffer,
): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const upload = await client.startUpload(repository);
  await client.finishUpload(upload, digest, { body: bytes });
  return { mediaType: mediaTypes.ociLayer, digest, size: bytes.byteLength };
}

async function pushImage(
  client: RegistryClient,
  repository: string,
  text: string,
): Promise<Document> {
  const layer = await pushBlob(client, repository, Buffer.from(`layer ${text}`));
  const config = await pushBlob(client, repository, Buffer.from(`{"config":"${text}"}`));
  return documentOf({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { ...config, mediaType: mediaTypes.ociConfig },
    layers: [layer],
  });
}

describe.each(['2', '3'] as const)('RegistryClient at Distribution %s', (version) => {
  const isMissing = !findDistribution(version);
  let registry: RunningRegistry | undefined;
  let transport: ClosableTransport;
  let client: RegistryClient;

  function connect(credentials?: Credentials): ClosableTransport {
    return directTransport({
      host: registry?.host ?? '',
      ...(registry?.ca ? { ca: registry.ca } : {}),
      credentials: () => Promise.resolve(credentials),
    });
  }

  beforeAll(async () => {
    registry = await startDistribution({ version, tls: true, htpasswd: { username, password } });
    if (!registry) return;
    transport = connect({ kind: 'basic', username, password });
    client = new RegistryClient(transport);
  });
  afterAll(async () => {
    if (!registry) return;
    await transport.close();
    await registry.close();
  });

  it.skipIf(isMissing)('logs in, and says so when it cannot', async () => {
    await client.ping();
    for (const credentials of [undefined, { kind: 'basic', username, password: 'no' } as const]) {
      const stranger = connect(credentials);
      const failure = await failureOf(new RegistryClient(stranger).ping());
      await stranger.close();
      expect(failure).toBeInstanceOf(AuthenticationError);
      expect(String(failure)).toContain(registry?.host);
    }
  });

  it.skipIf(isMissing)('uploads a blob in pieces, and goes on where it stands', async () => {
    const bytes = Buffer.alloc(300_000, 'some bytes ');
    const digest = digestOf(bytes);
    expect(await client.statBlob('team/app', digest)).toBeUndefined();
    let upload = await client.startUpload('team/app');
    expect(await client.statUpload(upload)).toMatchObject({ offset: 0 });
    const first = streamOf(bytes.subarray(0, 50_000), bytes.subarray(50_000, 100_000));
    upload = await client.appendUpload(upload, first, { size: 100_000 });
    expect(upload.offset).toBe(100_000);
    upload = await client.statUpload({ ...upload, offset: 0 });
    expect(upload.offset).toBe(100_000);
    upload = await client.appendUpload(upload, bytes.subarray(100_000, 200_000), { size: 100_000 });
    await client.finishUpload(upload, digest, { body: bytes.subarray(200_000) });
    expect(await client.statBlob('team/app', digest)).toBe(bytes.byteLength);

    const expected = { digest, size: bytes.byteLength };
    const whole = await client.openBlob('team/app', expected);
    expect(digestOf(await collect(whole, 'it', 1e9))).toBe(digest);
    const rest = await client.openBlob('team/app', expected, { offset: 299_990 });
    expect(await collect(rest, 'it', 1e9)).toEqual(bytes.subarray(299_990));
  });

  it.skipIf(isMissing)('refuses bytes of another digest', async () => {
    const upload = await client.startUpload('team/app');
    const body = Buffer.from('other bytes');
    const failure = await failureOf(client.finishUpload(upload, digestOf('none'), { body }));
    expect(failure).toMatchObject({ status: 400, diagnostics: [{ code: 'DIGEST_INVALID' }] });
    expect(await client.statBlob('team/app', digestOf('none'))).toBeUndefined();
  });

  it.skipIf(isMissing)('forgets an upload', async () => {
    const upload = await client.startUpload('team/app');
    await client.cancelUpload(upload);
    await client.cancelUpload(upload);
    expect(await failureOf(client.statUpload(upload))).toMatchObject({ isNotFound: true });
  });

  it.skipIf(isMissing)(
    'mounts what another repository has, and uploads what none has',
    async () => {
      const { digest, size } = await pushBlob(client, 'team/from', Buffer.from('mounted'));
      expect(await client.mountBlob('team/to', digest, 'team/from')).toEqual({ mounted: true });
      expect(await client.statBlob('team/to', digest)).toBe(size);
      const result = await client.mountBlob('team/to', digestOf('nowhere'), 'team/from');
      expect(result).toMatchObject({
        mounted: false,
        upload: { repository: 'team/to', offset: 0 },
      });
    },
  );

  it.skipIf(isMissing)('keeps manifests byte for byte, and lists their dotted tags', async () => {
    const image = await pushImage(client, 'team/tags', 'one');
    for (const tag of ['1.2.3', 'v1.2', 'latest'])
      await client.putManifest('team/tags', tag, image);
    const { digest } = image.descriptor;
    for (const reference of ['1.2.3', digest]) {
      const found = await client.getManifest('team/tags', reference);
      expect(found.descriptor).toEqual(image.descriptor);
      expect(Buffer.from(found.bytes)).toEqual(Buffer.from(image.bytes));
    }
    expect(await client.statManifest('team/tags', 'v1.2')).toEqual(image.descriptor);
    expect(await client.statManifest('team/tags', 'v1')).toBeUndefined();
    expect((await Array.fromAsync(client.listTags('team/tags'))).toSorted()).toEqual([
      '1.2.3',
      'latest',
      'v1.2',
    ]);
    expect(await Array.fromAsync(client.listRepositories())).toContain('team/tags');
    expect(await client.referrers('team/tags', digest)).toEqual([]);
  });

  it.skipIf(isMissing)('lists more repositories than one page holds', async () => {
    const names = Array.from({ length: 105 }, (_, number) => `many/${number}`);
    const repositories = join(registry?.directory ?? '', 'data/docker/registry/v2/repositories');
    // As much of a repository as its list looks at.
    for (const name of names) {
      const folder = join(repositories, name);
      await mkdir(join(folder, '_layers'), { recursive: true });
      await mkdir(join(folder, '_manifests/tags/x/current'), { recursive: true });
      await writeFile(join(folder, '_manifests/tags/x/current/link'), digestOf('x'));
    }
    expect(await Array.fromAsync(client.listRepositories())).toEqual(expect.arrayContaining(names));
  });

  it.skipIf(isMissing)('deletes one tag and only it', async () => {
    const image = await pushImage(client, 'team/untag', 'untag');
    for (const tag of ['v1', 'v1.2.3', 'other']) await client.putManifest('team/untag', tag, image);
    await client.deleteTag('team/untag', 'v1.2.3');
    expect((await Array.fromAsync(client.listTags('team/untag'))).toSorted()).toEqual([
      'other',
      'v1',
    ]);
    expect(await client.statManifest('team/untag', 'v1')).toEqual(image.descriptor);
    expect(await client.statManifest('team/untag', 'v1.2.3')).toBeUndefined();
    const failure = await failureOf(client.deleteTag('team/untag', 'v1.2.3'));
    expect(failure).toBeInstanceOf(NotFoundError);
  });

  it.skipIf(isMissing)('deletes a manifest with all its tags', async () => {
    const image = await pushImage(client, 'team/delete', 'delete');
    for (const tag of ['a', 'b']) await client.putManifest('team/delete', tag, image);
    await client.deleteManifest('team/delete', image.descriptor.digest);
    expect(await client.statManifest('team/delete', 'a')).toBeUndefined();
    expect(await client.statManifest('team/delete', 'b')).toBeUndefined();
  });
});

describe.each(['2', '3'] as const)('RegistryClient at another Distribution %s', (version) => {
  const isMissing = !findDistribution(version);

  it.skipIf(isMissing)('leaves a tag alone where nothing is deleted', async () => {
    const registry = await startDistribution({ version, delete: false });
    const transport = directTransport({ host: registry?.host ?? '', insecure: true });
    const client = new RegistryClient(transport);
    const image = await pushImage(client, 'a', 'kept');
    await client.putManifest('a', 'x', image);
    const failure = await failureOf(client.deleteTag('a', 'x'));
    const found = await client.statManifest('a', 'x');
    await transport.close();
    await registry?.close();
    expect(failure).toBeInstanceOf(UnsupportedError);
    expect(found).toEqual(image.descriptor);
  });

  it.skipIf(isMissing)(
    'uploads to the host it knows, not to the one the registry goes by',
    async () => {
      const externalUrl = 'https://registry.example.com';
      const registry = await startDistribution({ version, externalUrl });
      const transport = directTransport({ host: registry?.host ?? '', insecure: true });
      const { digest } = await pushBlob(new RegistryClient(transport), 'a', Buffer.from('x'));
      const size = await new RegistryClient(transport).statBlob('a', digest);
      await transport.close();
      await registry?.close();
      expect(size).toBe(1);
    },
  );
});
