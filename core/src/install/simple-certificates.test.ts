import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';

import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { makeServerCertificate } from '../certificates.ts';
import { resourceTypes } from '../kubernetes/index.ts';
import type { Secret } from '../providers/index.ts';
import { labelsOf } from './labels.ts';
import { renewCertificates } from './simple-certificates.ts';
import type { Renewal, RenewalOptions } from './simple-certificates.ts';
import { findSimple, tlsAnnotation } from './simple-deployment.ts';
import { installSimple } from './simple-install.ts';
import { simpleStatus } from './simple-status.ts';

const namespace = 'ci';
const tls = { from: 'own-ca' } as const;
const storage = { kind: 'volume', size: '1Gi' } as const;
const dayMs = 24 * 60 * 60 * 1000;
const settleMs = 60_000;

interface Files {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

async function filesOf(cluster: MemoryCluster): Promise<Files> {
  const { data = {} } = await cluster.get<Secret>(
    resourceTypes.Secret,
    'reposure-simple-authentication',
    namespace,
  );
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
  return { ca: text('ca.crt'), cert: text('tls.crt'), key: text('tls.key') };
}

/** As the Deployment's controller and the kubelets do. */
async function rollOut(cluster: MemoryCluster): Promise<void> {
  const deployment = await findSimple(cluster, namespace);
  if (deployment === undefined) throw new Error('no Deployment');
  const status = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: 1,
    updatedReplicas: 1,
    availableReplicas: 1,
  };
  await cluster.apply({ ...deployment, status }, { subresource: 'status' });
}

async function servedBy(cluster: MemoryCluster): Promise<string | undefined> {
  const deployment = await findSimple(cluster, namespace);
  return deployment?.spec?.template?.metadata?.annotations?.[tlsAnnotation];
}

/** Whether a client that trusts `ca` gets through to a server with these files. */
async function isTrusted(ca: string, { cert, key }: Files): Promise<boolean> {
  const server = createServer({ cert, key }, (socket) => socket.on('error', () => {}).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise((resolve) => {
      const servername = 'reposure-simple.ci.svc';
      const socket = connect({ port, host: '127.0.0.1', ca, servername }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

class Clock {
  now = new Date();
  readonly cluster: MemoryCluster;

  constructor(cluster: MemoryCluster) {
    this.cluster = cluster;
  }

  async after(ms: number, options: RenewalOptions = {}): Promise<Renewal | undefined> {
    this.now = new Date(this.now.getTime() + ms);
    return renewCertificates(this.cluster, namespace, { settleMs, now: this.now, ...options });
  }
}

async function installed(): Promise<Clock> {
  const cluster = new MemoryCluster();
  await installSimple(cluster, { namespace, tls, storage });
  await rollOut(cluster);
  return new Clock(cluster);
}

describe('renewCertificates()', () => {
  it('leaves alone what is not due', async () => {
    const clock = await installed();
    const before = clock.cluster.of('Secret');
    expect(await clock.after(200 * dayMs)).toEqual({ phase: 'steady', isServed: true });
    expect(clock.cluster.of('Secret')).toEqual(before);
  });

  it('renews a certificate after two thirds of its life, and has Pods serve it', async () => {
    const clock = await installed();
    const before = await filesOf(clock.cluster);
    const served = await servedBy(clock.cluster);
    expect(await clock.after(250 * dayMs)).toEqual({ phase: 'steady', isServed: false });
    const after = await filesOf(clock.cluster);
    expect(after.cert).not.toBe(before.cert);
    expect(after.ca).toBe(before.ca);
    expect(await servedBy(clock.cluster)).not.toBe(served);
    await rollOut(clock.cluster);
    expect(await clock.after(0)).toEqual({ phase: 'steady', isServed: true });
  });

  it('replaces a CA so that whatever clients trust, and whatever Pods serve, fits', async () => {
    const clock = await installed();
    const first = await filesOf(clock.cluster);
    const seen: [string, Files][] = [];
    const look = async (phase: string): Promise<void> => {
      seen.push([phase, await filesOf(clock.cluster)]);
    };
    expect(await clock.after(0, { wish: 'authority' })).toMatchObject({ phase: 'announced' });
    await look('announced');
    // Too early: somebody may not know of the next one.
    expect(await clock.after(settleMs - 1)).toMatchObject({ phase: 'announced' });
    expect(await clock.after(1)).toMatchObject({ phase: 'replaced', isServed: false });
    await look('replaced');
    // The Pods are not there yet, however long it takes.
    expect(await clock.after(10 * settleMs)).toMatchObject({ phase: 'replaced' });
    await rollOut(clock.cluster);
    expect(await clock.after(0)).toEqual({ phase: 'steady', isServed: true });
    await look('steady');
    // Each state's clients trust the state before, and the state after.
    for (let i = 1; i < seen.length; i++) {
      const [[, before], [, after]] = [seen[i - 1], seen[i]] as [[string, Files], [string, Files]];
      expect(await isTrusted(before.ca, after), 'a client of before').toBe(true);
      expect(await isTrusted(after.ca, before), 'a Pod of before').toBe(true);
    }
    const last = await filesOf(clock.cluster);
    expect(await isTrusted(last.ca, first)).toBe(false);
    expect(last.ca.match(/BEGIN/g)).toHaveLength(1);
  });

  it('gives clients the whole time again if the next CA was not published in time', async () => {
    const clock = await installed();
    await clock.after(0, { wish: 'authority' });
    const { ca } = await filesOf(clock.cluster);
    const { Secret: type } = resourceTypes;
    const secret = await clock.cluster.get<Secret>(type, 'reposure-simple-authentication');
    // As if the operator had been killed before it published what it had noted.
    const half = ca.slice(0, ca.indexOf('-----END') + 26);
    await clock.cluster.apply({
      ...secret,
      data: { ...secret.data, 'ca.crt': btoa(half) },
    });
    expect(await clock.after(10 * settleMs)).toMatchObject({ phase: 'announced' });
    expect((await filesOf(clock.cluster)).ca).toBe(ca);
    expect(await clock.after(settleMs - 1)).toMatchObject({ phase: 'announced' });
    expect(await clock.after(1)).toMatchObject({ phase: 'replaced' });
  });

  it('begins with another CA where an earlier version had thrown the key away', async () => {
    const names = [
      'reposure-simple.ci.svc',
      'reposure-simple',
      'reposure-simple.ci',
      'reposure-simple.ci.svc.cluster.local',
      'localhost',
    ];
    const made = await makeServerCertificate({ dnsNames: names, addresses: ['127.0.0.1'] });
    const texts = { 'ca.crt': made.caPem, 'tls.crt': made.certificatePem, 'tls.key': made.keyPem };
    const cluster = new MemoryCluster({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'reposure-simple-authentication',
        namespace,
        labels: labelsOf('reposure-simple', 'registry'),
      },
      type: 'kubernetes.io/tls',
      data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, btoa(text)])),
    } as Secret);
    await installSimple(cluster, { namespace, tls, storage });
    await rollOut(cluster);
    const between = await filesOf(cluster);
    expect(between.cert).toBe(made.certificatePem);
    expect(between.ca.startsWith(made.caPem)).toBe(true);
    expect(between.ca.match(/BEGIN/g)).toHaveLength(2);
    const clock = new Clock(cluster);
    expect(await clock.after(settleMs + 1000)).toMatchObject({ phase: 'replaced' });
    expect(await isTrusted(between.ca, await filesOf(cluster))).toBe(true);
  });

  it.each([
    ['the certificate', 'reposure-simple-authentication'],
    ['the CA', 'reposure-simple-ca'],
  ])('mends a Secret with %s that was deleted', async (_, name) => {
    const clock = await installed();
    await clock.cluster.delete(resourceTypes.Secret, name, namespace);
    await clock.after(1000);
    await clock.after(settleMs + 1000);
    const { ca, ...files } = await filesOf(clock.cluster);
    expect(await isTrusted(ca, { ca, ...files })).toBe(true);
    await rollOut(clock.cluster);
    expect(await clock.after(settleMs + 1000)).toEqual({ phase: 'steady', isServed: true });
  });

  it('has Pods serve what somebody else changed, once it is whole', async () => {
    const [one, two] = await Promise.all([
      makeServerCertificate({ dnsNames: ['a'], addresses: [] }),
      makeServerCertificate({ dnsNames: ['a'], addresses: [] }),
    ]);
    const mine = (cert: string, key: string): Secret => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'mine', namespace },
      data: { 'tls.crt': btoa(cert), 'tls.key': btoa(key) },
    });
    const cluster = new MemoryCluster(mine(one.certificatePem, one.keyPem));
    await installSimple(cluster, { namespace, storage, tls: { from: 'secret', name: 'mine' } });
    const served = await servedBy(cluster);
    await cluster.apply(mine(two.certificatePem, one.keyPem));
    await renewCertificates(cluster, namespace);
    expect(await servedBy(cluster)).toBe(served);
    await cluster.apply(mine(two.certificatePem, two.keyPem));
    await renewCertificates(cluster, namespace);
    expect(await servedBy(cluster)).not.toBe(served);
    expect(
      await cluster.find(resourceTypes.Secret, 'reposure-simple-ca', namespace),
    ).toBeUndefined();
  });

  it('keeps images that have no volume for as long as a CA lives', async () => {
    const cluster = new MemoryCluster();
    await installSimple(cluster, { namespace, tls });
    const before = await servedBy(cluster);
    const clock = new Clock(cluster);
    await clock.after(6 * 365 * dayMs);
    expect(await servedBy(cluster)).toBe(before);
    const { cert } = await filesOf(cluster);
    expect(new X509Certificate(cert).validToDate.getTime()).toBeGreaterThan(clock.now.getTime());
  });

  it('has nothing to do where there is no TLS, and no registry', async () => {
    const cluster = new MemoryCluster();
    expect(await renewCertificates(cluster, namespace)).toBeUndefined();
    await installSimple(cluster, { namespace });
    expect(await renewCertificates(cluster, namespace)).toBeUndefined();
  });
});

describe('simpleStatus()', () => {
  it('says how far a CA has come in taking the place of another', async () => {
    const clock = await installed();
    await clock.after(0, { wish: 'authority' });
    expect(await simpleStatus(clock.cluster, namespace)).toMatchObject({
      storage: 'volume',
      availableReplicas: 1,
      tls: { secret: 'reposure-simple-authentication', authority: { phase: 'announced' } },
    });
  });
});
