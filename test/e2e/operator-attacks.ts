import { openCluster, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { conditionOf, names, registryCrd, registryLabel } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  missingImage,
  operatorPlaceholder,
  startInProcessOperator,
} from '../support/in-process-operator.ts';
import type { InProcessOperator } from '../support/in-process-operator.ts';
import { hasTool } from '../support/tools.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { ClusterWorld, UserShell } from '../support/user-shell.ts';

const evil = 'evil.test:5000';
const dockerConfig = {
  auths: { 'good.test:5000': { auth: btoa('somebody:a-password-of-somebody') } },
};

/** Each tries to have a Secret used for something that it is not meant for. */
const attacks: readonly {
  readonly name: string;
  readonly spec: object;
  readonly reason: string;
}[] = [
  {
    name: 'a-login-of-another-host',
    spec: { direct: { host: evil }, loginSecret: 'docker' },
    reason: 'LoginNotForHost',
  },
  {
    name: 'by-its-older-name',
    spec: { direct: { host: evil }, authorizationSecret: 'docker' },
    reason: 'LoginNotForHost',
  },
  {
    name: 'over-plain-http',
    spec: { direct: { host: evil }, insecure: true, loginSecret: 'docker' },
    reason: 'LoginNotForHost',
  },
  {
    name: 'another-port',
    spec: { direct: { host: 'good.test:5001' }, loginSecret: 'docker' },
    reason: 'LoginNotForHost',
  },
  {
    name: 'a-host-that-ends-like-it',
    spec: { direct: { host: 'not-good.test:5000' }, loginSecret: 'docker' },
    reason: 'LoginNotForHost',
  },
  {
    name: 'its-host-as-a-user',
    spec: { direct: { host: `good.test:5000@${evil}` }, loginSecret: 'docker' },
    reason: 'HostInvalid',
  },
  {
    name: 'its-host-as-a-path',
    spec: { direct: { host: `${evil}/good.test:5000` }, loginSecret: 'docker' },
    reason: 'HostInvalid',
  },
  {
    name: 'a-password-without-a-host',
    spec: { direct: { host: evil }, loginSecret: 'basic' },
    reason: 'LoginNotForRegistry',
  },
  {
    name: 'a-password-of-another-registry',
    spec: { direct: { host: evil }, loginSecret: 'labelled' },
    reason: 'LoginNotForRegistry',
  },
  {
    name: 'the-token-of-an-account',
    spec: { direct: { host: evil }, loginSecret: 'token' },
    reason: 'LoginNotForRegistry',
  },
  {
    name: 'the-key-of-another-registry',
    spec: { direct: { host: evil }, loginSecret: names.writeKey('honest') },
    reason: 'LoginNotForRegistry',
  },
  {
    name: 'its-own-key-as-a-login',
    spec: { direct: { host: evil }, loginSecret: names.writeKey('its-own-key-as-a-login') },
    // Keys are made for what has its login, and not before.
    reason: 'LoginSecretNotFound',
  },
  {
    name: 'the-login-into-another-image',
    spec: { direct: { host: 'good.test:5000' }, loginSecret: 'docker', image: 'evil.test/x:1' },
    reason: 'LoginForOtherImage',
  },
  {
    name: 'an-image-that-begins-alike',
    spec: {
      direct: { host: 'good.test:5000' },
      loginSecret: 'docker',
      image: `${missingImage.split(':')[0]}-evil:1`,
    },
    reason: 'LoginForOtherImage',
  },
  {
    name: 'a-private-key-as-a-ca',
    spec: {
      direct: { host: evil },
      tlsSecret: 'tls',
      authenticationSecretDataKey: 'tls.key',
    },
    reason: 'TlsSecretInvalid',
  },
  {
    name: 'a-password-as-a-ca',
    spec: {
      direct: { host: evil },
      tlsSecret: 'basic',
      authenticationSecretDataKey: 'password',
    },
    reason: 'TlsSecretInvalid',
  },
];

/** What of them may be mounted all the same: the key that says who signs a Registry's own requests. */
const ownKeys = (name: string): string[] => [names.readKey(name), names.writeKey(name)];

/** Somebody who may make Registries and read no Secrets, against the operator that may. */
export function describeOperatorAttacks(title: string, world: () => ClusterWorld): void {
  describe.skipIf(!hasTool('kubectl'))(`${title}, attacks`, { timeout: 120_000 }, () => {
    let place: UserShell;
    let attacker: KubernetesClient;
    let operator: InProcessOperator;

    beforeAll(async () => {
      place = await openUserShell(world());
      const { kubernetes, namespace, ok, kubeconfigOf } = place;
      await kubernetes.apply(registryCrd());
      for (const object of operatorPlaceholder(namespace)) await kubernetes.apply(object);
      const served = () => kubernetes.list(resourceTypes.Registry, { namespace });
      await vi.waitFor(served, { timeout: 20_000, interval: 200 });
      for (const secret of secretsOf(namespace)) await kubernetes.create(secret);
      await ok('kubectl create serviceaccount attacker');
      await ok(
        `kubectl create role attacker --verb=create,get,update --resource=registries.reposure.puccini.cloud && kubectl create rolebinding attacker --role=attacker --serviceaccount=${namespace}:attacker`,
      );
      const token = (await ok('kubectl create token attacker')).trim();
      attacker = await openCluster({ kubeconfig: await kubeconfigOf('attacker', { token }) });
      operator = startInProcessOperator({
        kubernetes,
        namespace,
        image: missingImage,
        identity: 'x',
      });
      const honest = { direct: { host: 'good.test:5000' }, loginSecret: 'docker' };
      await attacker.create(registryOf('honest', namespace, honest));
      await vi.waitFor(async () => expect(await mountedBy(place, 'honest')).toContain('docker'), {
        timeout: 30_000,
        interval: 200,
      });
      for (const { name, spec } of attacks) {
        await attacker.create(registryOf(name, namespace, spec));
      }
    });

    afterAll(async () => {
      await operator?.stop();
      attacker?.close();
      await place?.close();
    });

    it('may not read what it would like to', async () => {
      const { namespace } = place;
      await expect(attacker.get(resourceTypes.Secret, 'docker', namespace)).rejects.toMatchObject({
        status: 403,
      });
    });

    it.each(attacks)('$name gets nothing: $reason', async ({ name, reason }) => {
      await vi.waitFor(
        async () => {
          const { namespace } = place;
          const found = await attacker.get<Registry>(resourceTypes.Registry, name, namespace);
          expect(conditionOf(found, 'Ready')).toMatchObject({ status: 'False', reason });
          expect(JSON.stringify(found.status)).not.toContain('a-password-of-somebody');
        },
        { timeout: 30_000, interval: 200 },
      );
      const mounted = await mountedBy(place, name);
      expect(mounted.filter((secret) => !ownKeys(name).includes(secret))).toEqual([]);
    });

    it('may name no Secret of another namespace, and no key among those of a folder', async () => {
      for (const loginSecret of ['../other/docker', 'other/docker', 'Docker']) {
        const made = attacker.create(
          registryOf('elsewhere', place.namespace, { direct: { host: evil }, loginSecret }),
        );
        await expect(made).rejects.toMatchObject({ status: 422 });
      }
    });

    it('is given nothing when it turns an honest Registry elsewhere', async () => {
      const { namespace } = place;
      const found = await attacker.get<Registry>(resourceTypes.Registry, 'honest', namespace);
      await attacker.replace({ ...found, spec: { ...found.spec, direct: { host: evil } } });
      await vi.waitFor(
        async () => expect(await mountedBy(place, 'honest')).toEqual(ownKeys('honest')),
        { timeout: 30_000, interval: 200 },
      );
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

function secretsOf(namespace: string): KubernetesObject[] {
  const secret = (name: string, data: Record<string, string>, labels = {}): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels },
    stringData: data,
  });
  const login = { username: 'somebody', password: 'a-password-of-somebody' };
  return [
    secret('docker', { '.dockerconfigjson': JSON.stringify(dockerConfig) }),
    secret('basic', login),
    secret('labelled', login, { [registryLabel]: 'honest' }),
    secret('token', { token: 'a-password-of-somebody' }),
    secret('tls', { 'tls.key': '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n' }),
  ];
}

interface Set extends KubernetesObject {
  spec?: { template: { spec: object } };
}

/** Every Secret that a surrogate is given, in whichever way. */
async function mountedBy({ kubernetes, namespace }: UserShell, name: string): Promise<string[]> {
  const set = await kubernetes.find<Set>(
    resourceTypes.StatefulSet,
    names.surrogate(name),
    namespace,
  );
  const text = JSON.stringify(set?.spec?.template.spec ?? {});
  const named = [...text.matchAll(/"secretName":"([^"]+)"|"secret":\{"name":"([^"]+)"/g)];
  expect(text).not.toMatch(/secretKeyRef|secretRef/);
  return named.map(([, volume, projected]) => volume ?? projected ?? '');
}
