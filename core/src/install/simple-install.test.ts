import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { makeServerCertificate } from '../certificates.ts';
import { resourceTypes } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import type { Secret } from '../providers/index.ts';
import { isAdmitted } from './simple-htpasswd.ts';
import { installSimple } from './simple-install.ts';
import { loginIn } from './simple-login.ts';
import { simpleObjects } from './simple-objects.ts';
import { uninstallSimple } from './simple-uninstall.ts';

const namespace = 'ci';
const tls = { from: 'own-ca' } as const;
const volume = { kind: 'volume', size: '1Gi' } as const;

async function textOf(cluster: MemoryCluster, name: string, key: string): Promise<string> {
  const secret = await cluster.get<Secret>(resourceTypes.Secret, name, namespace);
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
}

function keptLog(): { lines: string[]; log: Log } {
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
  };
  return { lines, log: { debug: keep, info: keep, warn: keep } };
}

function secretOf(name: string, texts: Record<string, string>): Secret {
  const data = Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, btoa(text)]));
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'Opaque', data };
}

describe('simpleObjects()', () => {
  it('serves plain HTTP and asks for no login unless told to', () => {
    const text = JSON.stringify(simpleObjects({ namespace }));
    expect(text).not.toMatch(/REGISTRY_AUTH|REGISTRY_HTTP_TLS|NodePort/);
    expect(text).toContain('"type":"ClusterIP"');
  });

  it('has no secret in the environment', () => {
    const text = JSON.stringify(
      simpleObjects({
        namespace,
        tls: { secret: 'x', fingerprint: 'y' },
        login: true,
        nodePort: 30_500,
      }),
    );
    expect(text).toContain('"REGISTRY_AUTH_HTPASSWD_PATH"');
    expect(text).toContain('"scheme":"HTTPS"');
    expect(text).toContain('"nodePort":30500');
    expect(text).not.toMatch(/REGISTRY_HTTP_SECRET|password"/);
  });
});

describe('installSimple()', () => {
  it('makes a login that the registry admits, and keeps it and the certificate when run again', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, tls, login: true });
    const certificate = await textOf(cluster, 'reposure-simple-authentication', 'tls.crt');
    const htpasswd = await textOf(cluster, 'reposure-simple-htpasswd', 'htpasswd');
    const config = await textOf(cluster, 'reposure-simple-login', '.dockerconfigjson');
    const login = loginIn(config);
    expect(login?.password).toHaveLength(32);
    expect(await isAdmitted(htpasswd, login ?? { username: '', password: '' })).toBe(true);
    expect(Object.keys(JSON.parse(config).auths)).toEqual(['reposure-simple.ci.svc:5000']);

    await installSimple(cluster, { namespace, tls, login: true });
    expect(await textOf(cluster, 'reposure-simple-authentication', 'tls.crt')).toBe(certificate);
    expect(await textOf(cluster, 'reposure-simple-htpasswd', 'htpasswd')).toBe(htpasswd);
  });

  it('takes a login that is given, and names the node port in it', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, login: true });
    const given = { username: 'me', password: 'hunter2' };
    const hosts = await installSimple(cluster, { namespace, login: given, nodePort: 30_500 });
    expect(hosts.pullHost).toBe('localhost:30500');
    const config = await textOf(cluster, 'reposure-simple-login', '.dockerconfigjson');
    expect(loginIn(config)).toEqual(given);
    expect(Object.keys(JSON.parse(config).auths)).toContain('localhost:30500');
    const htpasswd = await textOf(cluster, 'reposure-simple-htpasswd', 'htpasswd');
    expect(await isAdmitted(htpasswd, given)).toBe(true);
  });

  it('serves a certificate of its own name that somebody else put there, and leaves it alone', async () => {
    const { certificatePem, keyPem } = await makeServerCertificate({
      dnsNames: ['x'],
      addresses: [],
    });
    const theirs = secretOf('reposure-simple-authentication', {
      'tls.crt': certificatePem,
      'tls.key': keyPem,
    });
    const cluster = new MemoryCluster(theirs);
    await installSimple(cluster, { namespace, tls });
    expect(await textOf(cluster, 'reposure-simple-authentication', 'tls.crt')).toBe(certificatePem);
    expect(
      cluster.of('Secret').map(({ metadata }) => (metadata as { name: string }).name),
    ).not.toContain('reposure-simple-ca');
    await uninstallSimple(cluster, { namespace });
    expect(await textOf(cluster, 'reposure-simple-authentication', 'tls.crt')).toBe(certificatePem);
  });

  it.each([
    ['is not there', undefined, /does not exist/],
    ['is half-written', { 'tls.crt': 'x' }, /no pair/],
    ['holds no PEM', { 'tls.crt': 'x', 'tls.key': 'y' }, /no pair/],
  ])('makes nothing of a certificate Secret that %s', async (_, texts, message) => {
    const cluster = new MemoryCluster(...(texts ? [secretOf('mine', texts)] : []));
    const asked = { namespace, tls: { from: 'secret', name: 'mine' } } as const;
    await expect(installSimple(cluster, asked)).rejects.toThrow(message);
    expect(cluster.of('Deployment')).toEqual([]);
  });

  it.each([
    'reposure-simple-htpasswd',
    'reposure-simple-login',
    'reposure-simple-config',
    'reposure-simple-ca',
  ])('does not overwrite a Secret %s of somebody else', async (name) => {
    const cluster = new MemoryCluster(secretOf(name, { mine: 'mine' }));
    await expect(installSimple(cluster, { namespace, tls, login: true })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(`Cannot write Secret ci/${name}: somebody else made it`),
    });
    expect(await textOf(cluster, name, 'mine')).toBe('mine');
  });

  it.each([
    ['size', { kind: 'volume', size: '10Gig' }, /size of "10Gig"/],
    ['size limit', { kind: 'temporary', sizeLimit: '0' }, /size of "0"/],
    ['class', { kind: 'volume', size: '1Gi', storageClass: 'fast' }, /"fast": there is slow/],
    ['bucket', { kind: 's3', bucket: '../x', secret: 's3' }, /bucket "..\/x"/],
    [
      'endpoint',
      { kind: 's3', bucket: 'xyz', secret: 's3', endpoint: 'https://me:pw@s3' },
      /without a login/,
    ],
    ['login at S3', { kind: 's3', bucket: 'xyz', secret: 'none' }, /no Secret ci\/none/],
    ['half of a login at S3', { kind: 's3', bucket: 'xyz', secret: 'half' }, /holds no login/],
  ] as const)('refuses a wrong %s before it makes a Deployment', async (_, storage, message) => {
    const apiVersion = 'storage.k8s.io/v1';
    const slow = { apiVersion, kind: 'StorageClass', metadata: { name: 'slow' } };
    const half = secretOf('half', { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: ' ' });
    const cluster = new MemoryCluster(slow, half);
    const failure = await installSimple(cluster, { namespace, storage }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ message: expect.stringMatching(message) });
    expect(String(failure)).not.toContain('pw');
    expect(cluster.of('Deployment')).toEqual([]);
  });

  it('keeps the login at S3 out of everything but its Secret', async () => {
    const s3 = secretOf('s3', { accesskey: 'the-id', secretkey: 'the-key' });
    const cluster = new MemoryCluster(s3);
    const storage = {
      kind: 's3',
      bucket: 'images',
      endpoint: 'http://s3:9000',
      secret: 's3',
    } as const;
    await installSimple(cluster, { namespace, storage, replicas: 2 });
    expect(JSON.stringify(cluster.of('Deployment'))).not.toMatch(/the-id|the-key/);
    const config = JSON.parse(await textOf(cluster, 'reposure-simple-config', 'config.yml'));
    expect(config.storage).toEqual({ s3: { accesskey: 'the-id', secretkey: 'the-key' } });
    expect(cluster.of('PodDisruptionBudget')).toMatchObject([{ spec: { maxUnavailable: 1 } }]);
    expect(cluster.of('Deployment')).toMatchObject([{ spec: { replicas: 2 } }]);
  });

  it('runs several Pods only where they have the same images', async () => {
    const cluster = new MemoryCluster();
    const asked = { namespace, storage: volume, replicas: 2 };
    await expect(installSimple(cluster, asked)).rejects.toThrow(/--s3-bucket/);
    expect(cluster.of('Secret')).toEqual([]);
  });

  it('takes back the ways in that are no longer asked for', async () => {
    const cluster = new MemoryCluster();
    const ingress = { host: 'registry.example.com', className: 'nginx', tlsSecret: 'cert' };
    await installSimple(cluster, { namespace, ingress, networkPolicy: {} });
    expect([cluster.of('Ingress').length, cluster.of('NetworkPolicy').length]).toEqual([1, 1]);
    await installSimple(cluster, { namespace });
    expect([cluster.of('Ingress'), cluster.of('NetworkPolicy')]).toEqual([[], []]);
  });

  it('names the Secrets that it applies, and says nothing of what is in them', async () => {
    const cluster = new MemoryCluster();
    const { lines, log } = keptLog();
    const given = { username: 'me', password: 'hunter2' };
    await installSimple(cluster, { namespace, tls, login: given, log });
    expect(lines.filter((line) => line.includes('Secret'))).toEqual([
      'Applied Secret ci/reposure-simple-config',
      'Applied Secret ci/reposure-simple-ca',
      'Applied Secret ci/reposure-simple-authentication',
      'Applied Secret ci/reposure-simple-htpasswd',
      'Applied Secret ci/reposure-simple-login',
    ]);
    expect(lines.join()).not.toContain('hunter2');
  });

  it.each([
    ['another Pod took the place of one without a volume', {}, { tls }, 1],
    ['the Pod is the same', {}, {}, 0],
    ['there is a volume', { storage: volume }, { storage: volume, tls }, 0],
  ])('says whether images went with their Pod: %s', async (_, before, after, warnings) => {
    const cluster = new MemoryCluster();
    const { lines, log } = keptLog();
    await installSimple(cluster, { namespace, ...before, log });
    await installSimple(cluster, { namespace, ...after, log });
    expect(lines.filter((line) => line.includes('images'))).toHaveLength(warnings);
  });

  it('keeps the images on uninstall, unless told otherwise', async () => {
    const cluster = new MemoryCluster();
    const { PersistentVolumeClaim } = resourceTypes;
    await installSimple(cluster, { namespace, storage: volume });
    await uninstallSimple(cluster, { namespace });
    expect(await cluster.find(PersistentVolumeClaim, 'reposure-simple', namespace)).toBeDefined();
    await uninstallSimple(cluster, { namespace, purge: true });
    expect(await cluster.find(PersistentVolumeClaim, 'reposure-simple', namespace)).toBeUndefined();
  });
});
