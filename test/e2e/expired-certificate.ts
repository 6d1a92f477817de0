import { maintainSimple, waitForRegistry } from '@reposure/core/install';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import { conditionOf, names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { expect, it, vi } from 'vitest';

import { issueServerCertificate, makeAuthority } from '../../core/src/certificates.ts';
import type { Authority } from '../../core/src/certificates.ts';
import type { UserShell } from '../support/user-shell.ts';

const dayMs = 24 * 60 * 60 * 1000;
const secret = 'own-certificate';

interface Event extends KubernetesObject {
  type: string;
  reason: string;
  message: string;
}

/** A certificate of somebody else's that runs out, in the place's own simple registry and Registry `default`. */
export function itHealsAnExpiredCertificate(place: () => UserShell): void {
  it('a certificate that has expired is said, in conditions and Events, and heals when it is renewed', async () => {
    const { kubernetes, namespace, ok, run } = place();
    const authority = await makeAuthority(new Date(Date.now() - 30 * dayMs));
    await put(place(), authority, new Date(Date.now() - 10 * dayMs));
    await ok(`reposure simple install --tls-secret ${secret} --login --wait`);
    await ok('reposure registry create default --provider=simple');
    const reason = 'CertificateExpired';
    const said = { status: 'False', reason };
    await vi.waitFor(async () => {
      const found = await kubernetes.get<Registry>(resourceTypes.Registry, 'default', namespace);
      expect(conditionOf(found, 'Reachable')).toMatchObject(said);
      expect(conditionOf(found, 'Ready')).toMatchObject({
        ...said,
        message: expect.stringMatching(/has expired; want a renewed certificate/),
      });
    }, 100_000);
    // Events are written after the status that they tell of.
    await vi.waitFor(async () => {
      const { items } = await kubernetes.list<Event>(resourceTypes.Event, { namespace });
      expect(items.filter((event) => event.reason === reason)).toContainEqual(
        expect.objectContaining({
          type: 'Warning',
          message: expect.stringContaining('has expired'),
        }),
      );
    }, 20_000);
    const push = await run('reposure image push default team/expired hello.txt');
    expect([push.status, push.stderr]).toEqual([1, expect.stringContaining('has expired')]);

    await put(place(), authority, new Date());
    // As the operator does once a minute.
    await maintainSimple(kubernetes, namespace);
    await waitForRegistry(kubernetes, { name: 'default', namespace, timeoutMs: 100_000 });
    await ok('reposure image push default team/renewed hello.txt');
  });
}

/** Puts a certificate for one day into the Secret. */
async function put(
  { kubernetes, namespace }: UserShell,
  authority: Authority,
  now: Date,
): Promise<void> {
  const dnsNames = [`${names.simple}.${namespace}.svc`];
  const issued = await issueServerCertificate(
    authority,
    { dnsNames, addresses: [] },
    { lifeMs: dayMs, now },
  );
  await kubernetes.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: secret, namespace },
    stringData: {
      'ca.crt': issued.caPem,
      'tls.crt': issued.certificatePem,
      'tls.key': issued.keyPem,
    },
  });
}
