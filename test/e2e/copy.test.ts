import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { makeServerCertificate } from '@reposure/core';
import type { CopyResult } from '@reposure/core/transfer';
import { startRegistry } from '@reposure/local/registry';
import { hash } from 'bcryptjs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { reposure, reposureOk } from '../support/cli.ts';
import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { writeRandomImage } from '../support/random-image.ts';
import { startRelay } from '../support/relay.ts';
import { PlainRepository, writeSignedImage } from './copy-fixture.ts';
import type { SignedImage } from './copy-fixture.ts';

const script = fileURLToPath(new URL('../../cli/bin/reposure.js', import.meta.url));
const closers: (() => Promise<void>)[] = [];
let embedded: EmbeddedWorld;
let env: Record<string, string>;
/** `host:port` of the registries: two behind Registries, and one outside with TLS and a login. */
let hosts: { readonly default: string; readonly other: string; readonly outside: string };
let image: SignedImage;

const ok = (...words: string[]): Promise<Buffer> => reposureOk(words, { env });
const copied = async (...words: string[]): Promise<CopyResult> =>
  JSON.parse((await ok('image', 'copy', ...words, '-o', 'json')).toString()) as CopyResult;
const inDefault = (repository: string): PlainRepository =>
  new PlainRepository(hosts.default, repository);
const inOther = (repository: string): PlainRepository =>
  new PlainRepository(hosts.other, repository);

beforeAll(async () => {
  embedded = await startEmbeddedWorld();
  const { directory } = embedded;
  const other = await startRegistry({ directory: join(directory, 'other') });
  const outside = await startOutside(join(directory, 'outside'));
  closers.push(
    () => other.close(),
    () => outside.close(),
  );
  env = {
    ...embedded.env,
    XDG_STATE_HOME: join(directory, 'state'),
    DOCKER_CONFIG: join(directory, 'outside'),
    REGISTRY_AUTH_FILE: '',
    XDG_RUNTIME_DIR: '',
  };
  await ok('operator', 'install', '--wait');
  await ok('simple', 'install', '--node-port', '--wait');
  await ok('registry', 'create', 'default', '--provider=simple', '--wait');
  await ok('registry', 'create', 'other', `--host=${other.host}`, '--insecure', '--wait');
  const origin = (await ok('simple', 'host')).toString().trim();
  hosts = { default: origin, other: other.host, outside: outside.host };
  image = await writeSignedImage(inDefault('team/app'), '1.2.3');
});

afterAll(async () => {
  for (const close of closers) await close();
  await embedded.close();
});

/** A registry with a certificate of its own CA, and `config.json` with the login for it. */
async function startOutside(directory: string): Promise<Awaited<ReturnType<typeof startRegistry>>> {
  await mkdir(directory);
  const names = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] };
  const { caPem, certificatePem: cert, keyPem: key } = await makeServerCertificate(names);
  const htpasswdFile = join(directory, 'htpasswd');
  await writeFile(htpasswdFile, `robot:${await hash('secret', 4)}\n`);
  await writeFile(join(directory, 'ca.crt'), caPem);
  const tls = { cert, key };
  const registry = await startRegistry({ directory: join(directory, 'data'), htpasswdFile, tls });
  const auth = Buffer.from('robot:secret').toString('base64');
  const config = { auths: { [registry.host]: { auth } } };
  await writeFile(join(directory, 'config.json'), JSON.stringify(config));
  return registry;
}

describe('image copy', () => {
  it('gives another tag to an image of the registry, and says what it named before', async () => {
    const first = await copied('default', 'team/app:1.2.3', 'team/app:prod');
    expect(first).toMatchObject({
      action: 'copy',
      source: 'team/app:1.2.3',
      tags: ['prod'],
      digest: image.index.digest,
      blobs: { transferred: 0, mounted: 0 },
    });
    expect(first.previousDigest).toBeUndefined();
    const [amd64] = image.images;
    const second = await copied(
      'default',
      `team/app@${amd64?.digest}`,
      'team/app:prod',
      '-t',
      'p2',
    );
    expect(second.previousDigest).toBe(image.index.digest);
    expect((await inDefault('team/app').find('prod'))?.digest).toBe(amd64?.digest);
    expect((await inDefault('team/app').find('p2'))?.digest).toBe(amd64?.digest);
  });

  it('mounts the blobs in another repository, and takes the signatures along', async () => {
    const result = await copied('default', 'team/app:1.2.3', 'team/released:1.2.3');
    expect(result.blobs).toMatchObject({ transferred: 0, mounted: 10 });
    const released = inDefault('team/released');
    const { sig, att } = image.cosign;
    const signatures = result.referrers.filter(({ tag }) => tag);
    expect(signatures.map(({ digest }) => digest).toSorted()).toEqual(
      [sig.digest, att.digest].toSorted(),
    );
    expect((await released.referrersOf(image.index.digest)).map(({ digest }) => digest)).toEqual([
      image.sbom.digest,
    ]);
  });

  it('copies to another Registry, through both surrogates', async () => {
    const words = ['default', 'team/app:1.2.3', 'mirror/app:1.2.3', '--to-registry=other'];
    const result = await copied(...words, '--route=exec', '--to-route=exec');
    expect(result.route.via).toBe('exec');
    expect(result.pushRefs).toEqual([`${hosts.other}/mirror/app:1.2.3`]);
    const mirror = inOther('mirror/app');
    expect((await mirror.find('1.2.3'))?.digest).toBe(image.index.digest);
    const sig = `${image.index.digest.replace(':', '-')}.sig`;
    expect((await mirror.find(sig))?.digest).toBe(image.cosign.sig.digest);
    const again = await copied(...words);
    expect(again.blobs).toMatchObject({ transferred: 0, reused: 10 });
  });

  it('copies to a Registry of another kubeconfig and namespace', async () => {
    const kubeconfig = join(embedded.directory, 'another');
    await writeFile(kubeconfig, embedded.cluster.kubeconfig, { mode: 0o600 });
    const there = ['-n', 'kube-system'];
    await ok(...there, 'registry', 'create', 'default', `--host=${hosts.other}`, '--insecure');
    const words = ['default', 'team/app:1.2.3', 'elsewhere/app:1', '--to-namespace=kube-system'];
    const { digest } = await copied(...words, `--to-kubeconfig=${kubeconfig}`, '--to-route=direct');
    expect((await inOther('elsewhere/app').find('1'))?.digest).toBe(digest);
    expect(await inDefault('elsewhere/app').find('1')).toBeUndefined();
  });

  it('copies to docker://, with a CA and the login of docker login, and back from there', async () => {
    const ca = join(embedded.directory, 'outside', 'ca.crt');
    const there = `docker://${hosts.outside}/far/app:1`;
    const out = await copied('default', 'team/app:1.2.3', there, `--to-ca=${ca}`);
    expect(out.digest).toBe(image.index.digest);
    expect(out.pullRefs).toEqual([`${hosts.outside}/far/app:1`]);
    const back = await copied('other', there, 'back/app:1', `--src-ca=${ca}`);
    expect(back.source).toBe(there);
    expect(back.referrers).toHaveLength(4);
    expect((await inOther('back/app').find('1'))?.digest).toBe(image.index.digest);
    const words = ['image', 'copy', 'other', there, 'back/app:2'];
    const untrusted = await reposure(words, { env });
    expect(untrusted).toMatchObject({ status: 1 });
    expect(untrusted.stderr).toContain(`Cannot read ${there}`);
    const stranger = await reposure([...words, `--src-ca=${ca}`], {
      env: { ...env, DOCKER_CONFIG: embedded.directory },
    });
    expect(stranger).toMatchObject({ status: 1 });
    expect(stranger.stderr).toContain('it wants a login');
    expect(await inOther('back/app').find('2')).toBeUndefined();
  });

  it('leaves the tag alone if the source is not the digest that is expected', async () => {
    const digest = image.images[1]?.digest ?? '';
    const words = ['default', 'team/app:1.2.3', 'team/app:expected'];
    const { status, stderr } = await reposure(
      ['image', 'copy', ...words, `--expect-digest=${digest}`],
      {
        env,
      },
    );
    expect(status).toBe(1);
    expect(stderr).toContain(image.index.digest);
    expect(await inDefault('team/app').find('expected')).toBeUndefined();
    await copied(...words, `--expect-digest=${image.index.digest}`);
    expect((await inDefault('team/app').find('expected'))?.digest).toBe(image.index.digest);
  });

  it('prints the name by digest, and writes nothing on a dry run', async () => {
    const words = ['image', 'copy', 'default', 'team/app:1.2.3', 'mirror/dry:1', '--dry-run'];
    const name = (await ok(...words, '--to-registry=other', '-o', 'name')).toString();
    expect(name).toBe(`${hosts.other}/mirror/dry@${image.index.digest}\n`);
    expect(await inOther('mirror/dry').find('1')).toBeUndefined();
  });

  it('refuses two places outside as wrong usage', async () => {
    const words = ['image', 'copy', 'default', 'docker://h:1/a', 'docker://h:1/b'];
    const { status, stderr } = await reposure(words, { env });
    expect(stderr).toMatch(/outside the cluster/);
    expect(status).toBe(2);
  });

  it('ends at Ctrl-C without a tag, a file or a process, and goes through afterwards', async () => {
    const large = await writeSignedImage(inDefault('team/large'), '1', 3_000_000);
    const stalling = await startStalling(hosts.default);
    const temporary = await mkdtemp(join(tmpdir(), 'copy-tmp-'));
    onTestFinished(async () => {
      await stalling.close();
      await rm(temporary, { recursive: true });
    });
    const copyFrom = (host: string): string[] => [
      'image',
      'copy',
      'other',
      `docker://${host}/team/large:1`,
      'mirror/large:1',
      '--src-insecure',
    ];
    const child = spawn(process.execPath, [script, ...copyFrom(stalling.host)], {
      env: { ...process.env, ...env, TMPDIR: temporary },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = once(child, 'close');
    await stalling.stalled;
    expect(await readdir(temporary)).toEqual([]);
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    expect(stderr).toContain('Interrupted by SIGINT');
    expect(await readdir(temporary)).toEqual([]);
    expect(await inOther('mirror/large').find('1')).toBeUndefined();
    await ok(...copyFrom(hosts.default));
    expect((await inOther('mirror/large').find('1'))?.digest).toBe(large.index.digest);
  }, 120_000);

  it('goes on to docker:// where a copy was killed', async () => {
    const layerBytes = 8 * 1024 * 1024;
    const folder = join(embedded.directory, 'killed');
    const digest = await writeRandomImage(folder, { layers: 1, layerBytes });
    await ok('image', 'push', 'default', 'team/killed:1', `oci:${folder}`);
    // Slow enough for the registry to have what has gone.
    const relay = await startRelay(hosts.other, { bytesPerSecond: 2 * layerBytes });
    onTestFinished(() => relay.close());
    const words = ['image', 'copy', 'default', 'team/killed:1'];
    const all = [...words, `docker://${relay.host}/mirror/killed:1`, '--to-insecure'];
    const child = spawn(process.execPath, [script, ...all], {
      env: { ...process.env, ...env },
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    relay.up.when(layerBytes / 2, () => child.kill('SIGKILL'));
    expect(await ended).toEqual([null, 'SIGKILL']);
    const before = relay.up.bytes;
    await ok(...all);
    expect(relay.up.bytes - before).toBeLessThan(0.7 * layerBytes);
    expect((await inOther('mirror/killed').find('1'))?.digest).toBe(digest);
  });
});

/** A registry whose large blobs come to a standstill half-way. */
async function startStalling(
  host: string,
): Promise<{ host: string; stalled: Promise<void>; close: () => Promise<void> }> {
  const { promise: stalled, resolve } = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { method = 'GET', url = '', headers } = request;
      const accept = { accept: headers.accept ?? '*/*' };
      const found = await fetch(`http://${host}${url}`, { method, headers: accept });
      const body = Buffer.from(await found.arrayBuffer());
      const length = found.headers.get('content-length') ?? String(body.byteLength);
      response.writeHead(found.status, {
        'content-type': found.headers.get('content-type') ?? '',
        'content-length': length,
      });
      if (body.byteLength < 1_000_000) return void response.end(body);
      response.write(body.subarray(0, body.byteLength / 2), () => resolve());
    };
    answer().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stalled,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
