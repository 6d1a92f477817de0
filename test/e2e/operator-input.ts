import { setTimeout as delay } from 'node:timers/promises';

import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { conditionOf, names, registryCrd } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { makeServerCertificate } from '../../core/src/certificates.ts';
import {
  missingImage,
  operatorPlaceholder,
  startInProcessOperator,
} from '../support/in-process-operator.ts';
import type { InProcessOperator } from '../support/in-process-operator.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { ClusterWorld, UserShell } from '../support/user-shell.ts';

const host = 'good.test:5000';
const direct = { host };
const login = { '.dockerconfigjson': JSON.stringify({ auths: { [host]: { auth: 'eDp5' } } }) };

interface Mistake {
  readonly name: string;
  readonly spec: object;
  /** Objects that are wrong. */
  readonly wrong?: readonly KubernetesObject[];
  readonly says: readonly [type: string, reason: string, message: RegExp];
  /** What mends it: objects, or another spec. */
  readonly mended: readonly KubernetesObject[] | { readonly spec: object };
}

function secret(name: string, stringData: Record<string, string>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
}

function serviceWith(port: number): KubernetesObject {
  const spec = { selector: { app: 'none' }, ports: [{ port }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'ported' }, spec };
}

/** What people do wrong, what is said to them, and what mends it. @param ca PEM. */
function mistakes(ca: string): readonly Mistake[] {
  return [
    {
      name: 'a-login-that-is-missing',
      spec: { direct, loginSecret: 'missing-login' },
      says: ['CredentialsValid', 'LoginSecretNotFound', /missing-login: it does not exist/],
      mended: [secret('missing-login', login)],
    },
    {
      name: 'a-login-half-written',
      spec: { direct, loginSecret: 'half-login' },
      wrong: [secret('half-login', { '.dockerconfigjson': '{"auths":{"good' })],
      says: ['CredentialsValid', 'LoginSecretInvalid', /no docker config/],
      mended: [secret('half-login', login)],
    },
    {
      name: 'a-ca-that-is-missing',
      spec: { direct, tlsSecret: 'missing-ca' },
      says: ['CredentialsValid', 'TlsSecretNotFound', /missing-ca: it does not exist/],
      mended: [secret('missing-ca', { 'ca.crt': ca })],
    },
    {
      name: 'a-ca-that-is-no-pem',
      spec: { direct, tlsSecret: 'no-pem' },
      wrong: [secret('no-pem', { 'ca.crt': 'not a certificate' })],
      says: ['CredentialsValid', 'TlsSecretInvalid', /holds no PEM/],
      mended: [secret('no-pem', { 'ca.crt': ca })],
    },
    {
      name: 'a-ca-half-written',
      spec: { direct, tlsSecret: 'half-ca' },
      wrong: [secret('half-ca', { 'ca.crt': ca.slice(0, 200) })],
      says: ['CredentialsValid', 'TlsSecretInvalid', /holds no PEM/],
      mended: [secret('half-ca', { 'ca.crt': ca })],
    },
    {
      name: 'a-port-out-of-range',
      spec: { direct: { host: 'good.test:99999' } },
      says: ['Resolved', 'HostInvalid', /want host\[:port\]/],
      mended: { spec: { direct } },
    },
    {
      name: 'a-service-that-is-missing',
      spec: { indirect: { service: 'nowhere', port: 5000 } },
      says: ['Resolved', 'ServiceNotFound', /there is no Service .*\/nowhere/],
      mended: { spec: { direct, indirect: null } },
    },
    {
      name: 'a-port-that-is-not-served',
      spec: { indirect: { service: 'ported', port: 5000 } },
      wrong: [serviceWith(80)],
      says: ['Resolved', 'PortNotServed', /has no port 5000; want 80/],
      mended: [serviceWith(5000)],
    },
    {
      name: 'a-provider-that-nobody-knows',
      spec: { provider: 'nobodys' },
      says: ['Resolved', 'UnknownProvider', /no provider "nobodys"/],
      mended: { spec: { provider: null, direct } },
    },
  ];
}

/** Wrong input shows in conditions and Events, makes no surrogate, and heals when it is mended. */
export function describeOperatorInput(title: string, world: () => ClusterWorld): void {
  describe(`${title}, bad input`, { timeout: 120_000 }, () => {
    let place: UserShell;
    let operator: InProcessOperator;
    let ca: string;
    const make = (name: string, spec: object): Promise<unknown> =>
      place.kubernetes.create(registryOf(name, place.namespace, spec));
    const apply = async (objects: readonly KubernetesObject[] = []): Promise<void> => {
      for (const object of objects) {
        const metadata = { ...object.metadata, namespace: place.namespace };
        await place.kubernetes.apply({ ...object, metadata });
      }
    };
    const ready = async (name: string) =>
      conditionOf(await find(place.kubernetes, place.namespace, name), 'Ready');

    beforeAll(async () => {
      place = await openUserShell(world());
      const { kubernetes, namespace } = place;
      await kubernetes.apply(registryCrd());
      for (const object of operatorPlaceholder(namespace)) await kubernetes.apply(object);
      const served = () => kubernetes.list(resourceTypes.Registry, { namespace });
      await vi.waitFor(served, { timeout: 20_000, interval: 200 });
      ({ caPem: ca } = await makeServerCertificate({ dnsNames: ['good.test'], addresses: [] }));
      const image = missingImage;
      operator = startInProcessOperator({ kubernetes, namespace, image, identity: 'x' });
    });

    afterAll(async () => {
      await operator?.stop();
      await place?.close();
    });

    it('is said in conditions and Events, and heals when it is mended', async () => {
      await Promise.all(
        mistakes(ca).map(async ({ name, spec, wrong, says, mended }) => {
          const [type, reason, message] = says;
          const { kubernetes, namespace } = place;
          await apply(wrong);
          await make(name, spec);
          await vi.waitFor(async () => {
            const found = await find(kubernetes, namespace, name);
            const said = { status: 'False', reason, message: expect.stringMatching(message) };
            expect({ name, ...conditionOf(found, type) }).toMatchObject(said);
            expect({ name, ...conditionOf(found, 'Ready') }).toMatchObject(said);
          }, 20_000);
          await vi.waitFor(async () => {
            expect([name, ...(await eventsOf(place, name))]).toContain(`Warning ${reason}`);
          }, 10_000);
          // Without the login, the surrogate can do no harm; with the wrong trust, it could.
          const set = names.surrogate(name);
          const made = await kubernetes.find(resourceTypes.StatefulSet, set, namespace);
          expect([name, made?.metadata.name]).toEqual([
            name,
            reason === 'LoginSecretInvalid' ? set : undefined,
          ]);
          if ('spec' in mended) await change(place, name, mended.spec);
          else await apply(mended);
          await vi.waitFor(
            async () =>
              expect({ name, ...(await ready(name)) }).toMatchObject({
                reason: 'SurrogateNotReady',
              }),
            { timeout: 45_000, interval: 500 },
          );
        }),
      );
    });

    it.each([
      [
        'both a host and a Service',
        { direct, indirect: { service: 'x', port: 5000 } },
        /exactly one/,
      ],
      ['neither', {}, /exactly one/],
      ['a port that is none', { indirect: { service: 'x', port: 0 } }, /port/],
      ['a port beyond the last', { indirect: { service: 'x', port: 65_536 } }, /port/],
      ['two surrogates', { direct, replicas: 2 }, /replicas/],
    ])('is refused by the API at once: %s', async (_, spec, message) => {
      await expect(make('refused', spec)).rejects.toMatchObject({
        status: 422,
        message: expect.stringMatching(message),
      });
    });

    it('a name may be as long as its objects can be, and no longer', async () => {
      const [longest, longer] = ['l'.repeat(33), 'l'.repeat(34)];
      await Promise.all([make(longest, { direct }), make(longer, { direct })]);
      await vi.waitFor(async () => {
        expect(await ready(longest)).toMatchObject({
          reason: 'SurrogateNotReady',
          message: expect.stringMatching(/Pod .*-0: .*(ErrImagePull|ImagePullBackOff)/),
        });
        expect(await ready(longer)).toMatchObject({ reason: 'NameInvalid' });
      }, 30_000);
    });

    it('a namespace that goes makes no noise', { timeout: 240_000 }, async () => {
      const { kubernetes, namespace } = place;
      const said = operator.said.length;
      await kubernetes.delete(resourceTypes.Namespace, namespace);
      // The cluster empties one namespace after the other, and other suites leave theirs, too.
      await vi.waitFor(
        async () =>
          expect((await kubernetes.list(resourceTypes.Registry, { namespace })).items).toEqual([]),
        { timeout: 180_000, interval: 500 },
      );
      await delay(2000);
      const complaints = operator.said.slice(said).filter((line) => line.includes('trying again'));
      expect(complaints.filter((line) => line.includes('terminated'))).toEqual([]);
      expect(complaints.length).toBeLessThan(10);
    });
  });
}

function registryOf(name: string, namespace: string, spec: object): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name, namespace },
    spec: { type: 'oci', ...spec },
  };
}

function find(kubernetes: KubernetesClient, namespace: string, name: string): Promise<Registry> {
  return kubernetes.get<Registry>(resourceTypes.Registry, name, namespace);
}

/** As a merge patch: `null` takes a field away. */
async function change(
  { kubernetes, namespace }: UserShell,
  name: string,
  difference: object,
): Promise<void> {
  await vi.waitFor(async () => {
    const found = await find(kubernetes, namespace, name);
    const fields = Object.entries({ ...found.spec, ...difference });
    const spec = Object.fromEntries(fields.filter(([, value]) => value !== null));
    await kubernetes.replace({ ...found, spec: { type: 'oci', ...spec } });
  }, 10_000);
}

interface Event extends KubernetesObject {
  type: string;
  reason: string;
  involvedObject: { name: string };
}

async function eventsOf({ kubernetes, namespace }: UserShell, name: string): Promise<string[]> {
  const { items } = await kubernetes.list<Event>(resourceTypes.Event, { namespace });
  const own = items.filter(({ involvedObject }) => involvedObject.name === name);
  return own.map(({ type, reason }) => `${type} ${reason}`);
}
