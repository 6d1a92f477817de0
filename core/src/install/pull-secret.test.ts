import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { resourceTypes } from '../kubernetes/index.ts';
import type { ApiObject, KubernetesObject } from '../kubernetes/index.ts';
import type { Secret } from '../providers/index.ts';
import type { Registry } from '../resource/index.ts';
import { givePullSecret, takePullSecret } from './pull-secret.ts';
import type { PullSecretOptions } from './pull-secret.ts';
import { dockerConfigOf } from './simple-login.ts';

const login = { username: 'ann', password: 'hunter2' };
const pullHost = 'localhost:30500';

function registryOf(fields: Partial<Pick<Registry, 'spec' | 'status'>> = {}): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name: 'default', namespace: 'ci' },
    spec: { type: 'oci', provider: 'simple', loginSecret: 'login' },
    status: { pushHost: 'simple.ci.svc:5000', pullHost },
    ...fields,
  };
}

function secretOf(data: Record<string, string>, metadata: object = {}): Secret {
  const encoded = Object.entries(data).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login', namespace: 'ci', ...metadata },
    data: Object.fromEntries(encoded),
  };
}

const loginSecret = secretOf({
  '.dockerconfigjson': dockerConfigOf(login, ['simple.ci.svc:5000', pullHost]),
});

function account(name: string, fields: object = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: 'shop' },
    ...fields,
  };
}

function clusterOf(...objects: readonly ApiObject[]): MemoryCluster {
  return new MemoryCluster(loginSecret, account('default'), ...objects);
}

const toShop: PullSecretOptions = { namespace: 'shop', serviceAccounts: ['default'] };

async function pullsOf(cluster: MemoryCluster, name = 'default'): Promise<unknown> {
  const { ServiceAccount } = resourceTypes;
  return (await cluster.get<KubernetesObject>(ServiceAccount, name, 'shop'))['imagePullSecrets'];
}

describe('givePullSecret()', () => {
  it('makes a Secret for the host that nodes ask, and for no other', async () => {
    const cluster = clusterOf();
    const given = await givePullSecret(cluster, registryOf(), toShop);
    expect(given).toEqual({
      namespace: 'shop',
      secret: 'reposure-pull-default',
      serviceAccounts: ['default'],
      host: pullHost,
      state: 'created',
    });
    const made = await cluster.get<Secret>(resourceTypes.Secret, given.secret, 'shop');
    expect(made.type).toBe('kubernetes.io/dockerconfigjson');
    const config = Buffer.from(made.data?.['.dockerconfigjson'] ?? '', 'base64').toString();
    const auth = Buffer.from('ann:hunter2').toString('base64');
    expect(JSON.parse(config)).toEqual({ auths: { [pullHost]: { ...login, auth } } });
  });

  it('leaves the rest of the account as it is, and does nothing twice', async () => {
    const fields = {
      imagePullSecrets: [{ name: 'other' }],
      secrets: [{ name: 'token' }],
      automountServiceAccountToken: false,
    };
    const cluster = clusterOf(account('web', fields));
    const options = { ...toShop, serviceAccounts: ['web', 'web'] };
    await givePullSecret(cluster, registryOf(), options);
    const expected = {
      ...fields,
      imagePullSecrets: [{ name: 'other' }, { name: 'reposure-pull-default' }],
    };
    const [, web] = cluster.of('ServiceAccount');
    expect(web).toMatchObject(expected);
    expect((await givePullSecret(cluster, registryOf(), options)).state).toBe('unchanged');
    expect(cluster.of('ServiceAccount')[1]).toEqual(web);
  });

  it('loses nothing to those who change the account at the same time', async () => {
    const cluster = clusterOf();
    const others = Array.from({ length: 8 }, (_, index) => `reposure-${index}`);
    await Promise.all(
      others.map((secret) => givePullSecret(cluster, registryOf(), { ...toShop, secret })),
    );
    expect(await pullsOf(cluster)).toHaveLength(others.length);
    expect(await pullsOf(cluster)).toEqual(
      expect.arrayContaining(others.map((name) => ({ name }))),
    );
  });

  it('brings a changed login over', async () => {
    const cluster = clusterOf();
    await givePullSecret(cluster, registryOf(), toShop);
    const changed = dockerConfigOf({ ...login, password: 'changed' }, [pullHost]);
    await cluster.apply(secretOf({ '.dockerconfigjson': changed }));
    expect((await givePullSecret(cluster, registryOf(), toShop)).state).toBe('configured');
  });

  it('takes a login that is labelled for the Registry', async () => {
    const labels = { 'reposure.puccini.cloud/registry': 'default' };
    const cluster = clusterOf(secretOf({ ...login }, { labels }));
    expect((await givePullSecret(cluster, registryOf(), toShop)).state).toBe('created');
  });

  it.each([
    [
      'the login is for another host',
      secretOf({ '.dockerconfigjson': dockerConfigOf(login, ['simple.ci.svc:5000']) }),
      registryOf(),
      /has no login for localhost:30500, by which nodes pull/,
    ],
    [
      'the login is labelled for nobody',
      secretOf({ ...login }),
      registryOf(),
      /it names no host; want a dockerconfigjson Secret, or the label/,
    ],
    [
      'the login is a token',
      secretOf({ token: 'hunter2' }, { labels: { 'reposure.puccini.cloud/registry': 'default' } }),
      registryOf(),
      /kubelets log in with username and password only/,
    ],
    [
      'the login Secret is no docker config',
      secretOf({ '.dockerconfigjson': 'hunter2' }),
      registryOf(),
      /want a docker config/,
    ],
    [
      'the Registry has no login',
      loginSecret,
      registryOf({ spec: { type: 'oci', provider: 'simple' } }),
      /names no login Secret; nodes pull from localhost:30500 without one/,
    ],
    [
      'nodes have no way to it',
      loginSecret,
      registryOf({ status: { pushHost: 'simple.ci.svc:5000' } }),
      /not known by which host nodes pull; give the registry a node port/,
    ],
    [
      'the Secret is a person’s own',
      secretOf({}, { name: 'reposure-pull-default', namespace: 'shop' }),
      registryOf(),
      /was not made for Registry ci\/default; name another one with --secret/,
    ],
  ])('makes nothing if %s, and tells no secret', async (_, secret, registry, message) => {
    const cluster = clusterOf(secret);
    const before = cluster.of('Secret');
    const failure = await givePullSecret(cluster, registry, toShop).catch(
      (error: unknown) => error,
    );
    expect(String(failure)).toMatch(message);
    expect(String(failure)).not.toContain('hunter2');
    expect(cluster.of('Secret')).toEqual(before);
    expect(await pullsOf(cluster)).toBeUndefined();
  });
});

describe('givePullSecret() for an account that is not there', () => {
  it('makes nothing', async () => {
    const cluster = clusterOf();
    const options = { ...toShop, serviceAccounts: ['default', 'nobody'] };
    await expect(givePullSecret(cluster, registryOf(), options)).rejects.toMatchObject({
      status: 404,
    });
    expect(cluster.of('Secret')).toHaveLength(1);
    expect(await pullsOf(cluster)).toBeUndefined();
  });
});

describe('takePullSecret()', () => {
  it('takes back what was given, and nothing else', async () => {
    const cluster = clusterOf(account('web', { imagePullSecrets: [{ name: 'other' }] }));
    const options = { ...toShop, serviceAccounts: ['default', 'web'] };
    await givePullSecret(cluster, registryOf(), options);
    expect((await takePullSecret(cluster, registryOf(), options)).state).toBe('removed');
    expect(await pullsOf(cluster)).toEqual([]);
    expect(await pullsOf(cluster, 'web')).toEqual([{ name: 'other' }]);
    expect(cluster.of('Secret').map(({ metadata }) => (metadata as { name: string }).name)).toEqual(
      ['login'],
    );
    expect((await takePullSecret(cluster, registryOf(), options)).state).toBe('unchanged');
  });

  it('leaves a Secret of the same name that another Registry was given', async () => {
    const cluster = clusterOf();
    await givePullSecret(cluster, registryOf(), toShop);
    const other = registryOf();
    other.metadata.namespace = 'elsewhere';
    await expect(takePullSecret(cluster, other, toShop)).rejects.toThrow(/was not made for/);
    expect(await pullsOf(cluster)).toEqual([{ name: 'reposure-pull-default' }]);
  });
});
