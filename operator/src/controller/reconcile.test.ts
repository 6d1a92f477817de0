import { silent } from '@reposure/core';
import { rotateKeys } from '@reposure/core/install';
import { KubernetesError, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import { conditionOf, RegistrySpec } from '@reposure/core/resource';
import type { Condition, Registry } from '@reposure/core/resource';
import { describe, expect, it } from 'vitest';

import { clusterRegistries } from '../../../test/support/cluster-registries.ts';
import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { AppliedObjects } from './applied-objects.ts';
import type { Health } from './health-probe.ts';
import { reconcile } from './reconcile.ts';
import type { ReconcileContext } from './reconcile.ts';
import { configAnnotation } from './surrogate-objects.ts';

const name = 'default';
const key = `ci/${name}`;
const image = 'example.test/reposure:1';
const healthy: Health = { reachable: true, credentialsValid: true, message: '' };
const login: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'login', namespace: 'ci', uid: 'u' },
  data: { '.dockerconfigjson': btoa('{"auths":{"reg.test":{"auth":"c2VjcmV0"}}}') },
};

interface KeySecret extends KubernetesObject {
  data: { key: string; previous?: string };
}

function registryOf(spec: object): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name, namespace: 'ci', uid: 'registry-uid' },
    spec: RegistrySpec.parse({ direct: { host: 'reg.test' }, ...spec }),
  };
}

/** The Pod that a StatefulSet controller would make of the StatefulSet that is there. */
async function startPod(cluster: MemoryCluster, isReady = true): Promise<void> {
  const [{ spec }] = cluster.of('StatefulSet') as [{ spec: { template: KubernetesObject } }];
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...spec.template.metadata, name: 'reposure-surrogate-default-0', namespace: 'ci' },
    status: {
      phase: 'Running',
      podIP: '10.0.0.9',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
    },
  });
}

function contextOf(cluster: MemoryCluster, health?: Health): ReconcileContext {
  return {
    kubernetes: cluster,
    applied: new AppliedObjects(),
    image,
    log: silent,
    signal: new AbortController().signal,
    askSurrogate: async () => health,
  };
}

async function conditionsOf(
  cluster: MemoryCluster,
): Promise<Record<string, Condition | undefined>> {
  const registry = await cluster.get<Registry>(resourceTypes.Registry, name);
  const types = ['Ready', 'Resolved', 'CredentialsValid', 'Reachable'];
  return Object.fromEntries(types.map((type) => [type, conditionOf(registry, type)]));
}

describe('reconcile()', () => {
  it('makes a surrogate, and is ready once its Pod and the registry are', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    expect(await reconcile(key, contextOf(cluster))).toMatchObject({ againMs: 5000 });
    expect(await conditionsOf(cluster)).toMatchObject({
      Resolved: { status: 'True' },
      Ready: { status: 'False', reason: 'SurrogateNotReady' },
      Reachable: { status: 'Unknown' },
    });
    await startPod(cluster);
    expect(await reconcile(key, contextOf(cluster, healthy))).toMatchObject({ againMs: 30_000 });
    expect(await conditionsOf(cluster)).toMatchObject({
      Ready: { status: 'True', reason: 'Ready' },
      Reachable: { status: 'True' },
      CredentialsValid: { status: 'True', reason: 'NotNeeded' },
    });
    const registry = await cluster.get<Registry>(resourceTypes.Registry, name);
    expect(registry.status).toMatchObject({
      pushHost: 'reg.test',
      pullHost: 'reg.test',
      provider: 'host',
      surrogatePod: 'reposure-surrogate-default-0',
      observedGeneration: 1,
    });
    expect(cluster.of('Event').map((event) => event['reason'])).toEqual([
      'Created',
      'SurrogateNotReady',
      'Ready',
    ]);
  });

  it.each([
    [{}, 'Unknown', 'NodesNotAsked', /kubectl run trial --image=reg\.test/],
    [{ pullHost: 'nodes.test' }, 'Unknown', 'AsTheSpecSays', /nodes\.test/],
    [{ direct: undefined, provider: 'simple' }, 'True', 'NodePort', /localhost:30500/],
  ])(
    'tells whether nodes can pull of %j, which does not keep it from being ready',
    async (...row) => {
      const [spec, status, reason, message] = row;
      const simple: KubernetesObject = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'reposure-simple', namespace: 'ci' },
        spec: { ports: [{ port: 5000, nodePort: 30_500 }] },
      };
      const cluster = new MemoryCluster(registryOf(spec), simple);
      await reconcile(key, contextOf(cluster));
      await startPod(cluster);
      expect(await reconcile(key, contextOf(cluster, healthy))).toMatchObject({ againMs: 30_000 });
      const registry = await cluster.get<Registry>(resourceTypes.Registry, name);
      expect(conditionOf(registry, 'NodePullable')).toMatchObject({
        status,
        reason,
        message: expect.stringMatching(message),
      });
      expect(conditionOf(registry, 'Ready')).toMatchObject({ status: 'True' });
    },
  );

  it('knows nothing of nodes where it found no registry', async () => {
    const cluster = new MemoryCluster(registryOf({ direct: undefined }));
    await reconcile(key, contextOf(cluster));
    const registry = await cluster.get<Registry>(resourceTypes.Registry, name);
    expect(conditionOf(registry, 'NodePullable')).toMatchObject({
      status: 'Unknown',
      reason: 'NotResolved',
    });
  });

  it('says which login a cloud takes when it refuses one', async () => {
    const host = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
    const cluster = new MemoryCluster(registryOf({ direct: { host } }));
    await reconcile(key, contextOf(cluster));
    await startPod(cluster, false);
    const refused = { reachable: true, credentialsValid: false, message: 'answered 401' };
    await reconcile(key, contextOf(cluster, refused));
    expect(await conditionsOf(cluster)).toMatchObject({
      CredentialsValid: {
        reason: 'Refused',
        message: expect.stringMatching(/^answered 401; .*12 hours/),
      },
    });
  });

  it('on OpenShift, waits for the CA, and mounts it and a token that is renewed', async () => {
    const cluster = new MemoryCluster(
      registryOf({ direct: undefined, provider: 'openshift' }),
      clusterRegistries.openshift,
    );
    await reconcile(key, contextOf(cluster));
    expect(await conditionsOf(cluster)).toMatchObject({
      CredentialsValid: { status: 'False', reason: 'ServiceCaMissing' },
      Ready: { status: 'False', reason: 'ServiceCaMissing' },
    });
    expect(cluster.of('ConfigMap')).toContainEqual(
      expect.objectContaining({
        metadata: expect.objectContaining({
          name: 'reposure-surrogate-default-service-ca',
          annotations: { 'service.beta.openshift.io/inject-cabundle': 'true' },
          ownerReferences: [expect.objectContaining({ kind: 'Registry' })],
        }),
      }),
    );
    const [{ spec }] = cluster.of('StatefulSet') as [
      { spec: { template: { spec: { volumes: unknown[] } } } },
    ];
    expect(spec.template.spec.volumes).toEqual(
      expect.arrayContaining([
        {
          name: 'tls',
          configMap: {
            name: 'reposure-surrogate-default-service-ca',
            // Not optional: the kubelet starts nothing before it is there.
            items: [{ key: 'service-ca.crt', path: 'ca.crt' }],
          },
        },
        {
          name: 'login',
          projected: {
            sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }],
          },
        },
      ]),
    );
  });

  it('gives no token to an image of somebody else', async () => {
    const spec = { direct: undefined, provider: 'openshift', image: 'evil.test/reposure:1' };
    const cluster = new MemoryCluster(registryOf(spec), clusterRegistries.openshift);
    await reconcile(key, contextOf(cluster));
    const text = JSON.stringify(cluster.of('StatefulSet'));
    expect(text).toContain('evil.test/reposure:1');
    expect(text).not.toContain('serviceAccountToken');
    expect(await conditionsOf(cluster)).toMatchObject({
      CredentialsValid: { reason: 'LoginForOtherImage' },
    });
  });

  it('writes nothing when nothing has changed', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    await startPod(cluster);
    await reconcile(key, contextOf(cluster, healthy));
    const [before] = cluster.of('Registry');
    await reconcile(key, contextOf(cluster, healthy));
    expect(cluster.of('Registry')).toEqual([before]);
    expect(cluster.of('Event')).toHaveLength(3);
  });

  it('applies again what has not changed only when something happened to it', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    const context = contextOf(cluster);
    await reconcile(key, context);
    await cluster.delete(resourceTypes.Service, 'reposure-surrogate-default');
    await reconcile(key, context);
    expect(cluster.of('Service')).toEqual([]);
    context.applied.touch(key);
    await reconcile(key, context);
    expect(cluster.of('Service')).toHaveLength(1);
    await cluster.apply(registryOf({ direct: { host: 'other.test' } }));
    await reconcile(key, context);
    expect(JSON.stringify(cluster.of('ConfigMap'))).toContain('other.test');
  });

  it('asks less and less about what stays wrong, but not about what is new', async () => {
    const registry = registryOf({ direct: { host: 'https://not-a-host' } });
    const cluster = new MemoryCluster(registry);
    await reconcile(key, contextOf(cluster));
    const ageOf = async (seconds: number): Promise<number | undefined> => {
      const found = await cluster.get<Registry>(resourceTypes.Registry, name);
      const then = new Date(Date.now() - seconds * 1000).toISOString();
      for (const each of found.status?.conditions ?? []) each.lastTransitionTime = then;
      await cluster.apply(found, { subresource: 'status' });
      const outcome = await reconcile(key, contextOf(cluster));
      return outcome && Math.round(outcome.againMs / 1000);
    };
    expect(await ageOf(10)).toBe(5);
    expect(await ageOf(200)).toBe(20);
    expect(await ageOf(100_000)).toBe(30);
  });

  it('refuses to choose between two registries, as an older CRD allowed them', async () => {
    const cluster = new MemoryCluster(registryOf({ indirect: { service: 'registry' } }));
    await reconcile(key, contextOf(cluster));
    expect(await conditionsOf(cluster)).toMatchObject({
      Resolved: { status: 'False', reason: 'AmbiguousRegistry' },
    });
    expect(cluster.of('StatefulSet')).toEqual([]);
  });

  it('leaves a namespace alone that is being deleted', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    cluster.create = async () => {
      throw new KubernetesError('create', {
        status: 403,
        causes: [{ reason: 'NamespaceTerminating' }],
      });
    };
    expect(await reconcile(key, contextOf(cluster))).toBeUndefined();
    expect(cluster.of('StatefulSet')).toEqual([]);
    expect(await conditionsOf(cluster)).toMatchObject({ Ready: undefined });
  });

  it('says how many surrogates there are', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    const statusOfIt = async () =>
      (await cluster.get<Registry>(resourceTypes.Registry, name)).status;
    expect(await statusOfIt()).toMatchObject({ replicas: 1, readyReplicas: 0 });
    await startPod(cluster);
    await reconcile(key, contextOf(cluster, healthy));
    expect(await statusOfIt()).toMatchObject({ replicas: 1, readyReplicas: 1 });
  });

  it('everything it makes is owned by the Registry', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    const made = ['ServiceAccount', 'ConfigMap', 'Secret', 'Service', 'StatefulSet'].flatMap(
      (kind) => cluster.of(kind),
    );
    expect(made).toHaveLength(6);
    for (const object of made) {
      expect(object).toMatchObject({
        metadata: { ownerReferences: [{ kind: 'Registry', uid: 'registry-uid' }] },
      });
    }
  });

  it('does not take a Pod of an earlier configuration for a ready one', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    await startPod(cluster);
    await cluster.apply(registryOf({ direct: { host: 'other.test' } }));
    await reconcile(key, contextOf(cluster, healthy));
    expect(await conditionsOf(cluster)).toMatchObject({
      Ready: { status: 'False', reason: 'SurrogateNotReady', observedGeneration: 2 },
    });
    await startPod(cluster);
    await reconcile(key, contextOf(cluster, healthy));
    expect(await conditionsOf(cluster)).toMatchObject({ Ready: { status: 'True' } });
  });

  it('says what the surrogate says', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    await startPod(cluster, false);
    const down = { reachable: false, credentialsValid: false, message: 'connection refused' };
    await reconcile(key, contextOf(cluster, down));
    expect(await conditionsOf(cluster)).toMatchObject({
      Ready: { status: 'False', reason: 'NoAnswer', message: 'connection refused' },
      CredentialsValid: { status: 'Unknown' },
    });
    const refused = { reachable: true, credentialsValid: false, message: 'answered 401' };
    await reconcile(key, contextOf(cluster, refused));
    expect(await conditionsOf(cluster)).toMatchObject({
      Ready: { status: 'False', reason: 'Refused', message: 'answered 401' },
      Reachable: { status: 'True' },
    });
  });

  it('believes the kubelet where it cannot ask the surrogate itself', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    await startPod(cluster);
    await reconcile(key, contextOf(cluster));
    expect(await conditionsOf(cluster)).toMatchObject({ Ready: { status: 'True' } });
  });

  it('keeps the Pod when the login changes, which reads it again, and mounts only its keys', async () => {
    const cluster = new MemoryCluster(registryOf({ loginSecret: 'login' }), login);
    await reconcile(key, contextOf(cluster));
    const text = JSON.stringify(cluster.of('StatefulSet'));
    expect(text).toContain('"items":[{"key":".dockerconfigjson","path":".dockerconfigjson"}]');
    expect(text).not.toContain('c2VjcmV0');
    await cluster.apply({
      ...login,
      data: { '.dockerconfigjson': btoa('{"auths":{"reg.test":{"auth":"b3RoZXI="}}}') },
    });
    await reconcile(key, contextOf(cluster));
    expect(cluster.of('StatefulSet')).toMatchObject([{ metadata: { generation: 1 } }]);
  });

  it('takes a login away that may no longer be used', async () => {
    const cluster = new MemoryCluster(registryOf({ loginSecret: 'login' }), login);
    await reconcile(key, contextOf(cluster));
    await cluster.apply({ ...login, data: { '.dockerconfigjson': btoa('{"auths":{}}') } });
    await reconcile(key, contextOf(cluster));
    expect(JSON.stringify(cluster.of('StatefulSet'))).not.toContain('"login"');
    expect(await conditionsOf(cluster)).toMatchObject({
      CredentialsValid: { status: 'False', reason: 'LoginNotForHost' },
      Ready: { status: 'False', reason: 'LoginNotForHost' },
    });
  });

  it('gives neither login nor keys to an image of somebody else', async () => {
    const spec = { loginSecret: 'login', image: 'evil.test/reposure:1' };
    const cluster = new MemoryCluster(registryOf(spec), login);
    await reconcile(key, contextOf(cluster));
    const text = JSON.stringify(cluster.of('StatefulSet'));
    expect(text).toContain('evil.test/reposure:1');
    expect(text).not.toMatch(/secret(Name)?"/);
    expect(await conditionsOf(cluster)).toMatchObject({
      CredentialsValid: { reason: 'LoginForOtherImage' },
    });
  });

  it('gives the login to another version of its own image', async () => {
    const spec = { loginSecret: 'login', image: 'example.test/reposure:2' };
    const cluster = new MemoryCluster(registryOf(spec), login);
    await reconcile(key, contextOf(cluster));
    expect(JSON.stringify(cluster.of('StatefulSet'))).toContain('"secretName":"login"');
  });

  it('makes two keys for the proxy route, once', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    const before = cluster.of('Secret') as KeySecret[];
    expect(before.map(({ metadata, type }) => [metadata.name, type])).toEqual([
      ['reposure-surrogate-default-read-key', 'Opaque'],
      ['reposure-surrogate-default-write-key', 'Opaque'],
    ]);
    const keys = before.map(({ data }) => atob(data.key));
    for (const each of keys) expect(Buffer.from(each, 'base64url')).toHaveLength(32);
    expect(new Set(keys).size).toBe(2);
    await cluster.apply(registryOf({ direct: { host: 'other.test' } }));
    await reconcile(key, contextOf(cluster));
    expect(cluster.of('Secret')).toEqual(before);
  });

  it('makes a key anew that somebody has deleted, and no other', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    const [read, write] = cluster.of('Secret') as KeySecret[];
    await cluster.delete(resourceTypes.Secret, 'reposure-surrogate-default-write-key');
    await reconcile(key, contextOf(cluster));
    const [readNow, writeNow] = cluster.of('Secret') as KeySecret[];
    expect(readNow).toEqual(read);
    expect(writeNow?.data.key).not.toBe(write?.data.key);
  });

  it('keeps the Pod when the keys rotate', async () => {
    const registry = registryOf({});
    const cluster = new MemoryCluster(registry);
    await reconcile(key, contextOf(cluster));
    const before = cluster.of('Secret') as KeySecret[];
    await rotateKeys(cluster, registry);
    await reconcile(key, contextOf(cluster));
    const after = cluster.of('Secret') as KeySecret[];
    expect(after.map(({ data }) => data.previous)).toEqual(before.map(({ data }) => data.key));
    expect(new Set(after.flatMap(({ data }) => Object.values(data))).size).toBe(4);
    expect(cluster.of('StatefulSet')).toMatchObject([{ metadata: { generation: 1 } }]);
  });

  it('waits for the keys of an earlier Registry of the same name to go', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    const next = registryOf({});
    const again = new MemoryCluster({ ...next, metadata: { ...next.metadata, uid: 'next-uid' } });
    for (const secret of cluster.of('Secret') as KeySecret[]) await again.create(secret);
    await expect(reconcile(key, contextOf(again))).rejects.toThrow('an earlier Registry');
    expect(again.of('StatefulSet')).toEqual([]);
    expect(await conditionsOf(again)).toMatchObject({ Ready: { reason: 'ApplyFailed' } });
    for (const { metadata } of again.of('Secret') as KeySecret[]) {
      await again.delete(resourceTypes.Secret, metadata.name);
    }
    await reconcile(key, contextOf(again));
    expect(again.of('StatefulSet')).toHaveLength(1);
  });

  it('uses a key that somebody else has put there', async () => {
    const own: KeySecret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'reposure-surrogate-default-read-key', namespace: 'ci' },
      data: { key: btoa('a key from a vault') },
    };
    const cluster = new MemoryCluster(registryOf({}), own);
    await reconcile(key, contextOf(cluster));
    expect(cluster.of('Secret')).toContainEqual(expect.objectContaining({ data: own.data }));
  });

  it('shows the keys to the surrogate, and nothing else that lies beside them', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    const [{ spec }] = cluster.of('StatefulSet') as [{ spec: { template: { spec: object } } }];
    const items = (use: string): object[] => [
      { key: 'key', path: `${use}/key` },
      { key: 'previous', path: `${use}/previous` },
    ];
    const secret = (use: string): object => ({
      secret: {
        name: `reposure-surrogate-default-${use}-key`,
        items: items(use),
        optional: true,
      },
    });
    expect(spec.template.spec).toMatchObject({
      volumes: expect.arrayContaining([
        { name: 'keys', projected: { sources: [secret('read'), secret('write')] } },
      ]),
    });
    expect(cluster.of('Service')).toMatchObject([
      {
        spec: {
          clusterIP: 'None',
          ports: [{ port: 8080 }, { name: 'gateway', port: 8443, appProtocol: 'https' }],
        },
      },
    ]);
  });

  it('leaves the surrogate as it is while a Secret is missing', async () => {
    const cluster = new MemoryCluster(registryOf({ loginSecret: 'login' }), login);
    await reconcile(key, contextOf(cluster));
    const before = cluster.of('StatefulSet');
    await cluster.delete(resourceTypes.Secret, 'login');
    await reconcile(key, contextOf(cluster));
    expect(cluster.of('StatefulSet')).toEqual(before);
    expect(await conditionsOf(cluster)).toMatchObject({
      Ready: { status: 'False', reason: 'LoginSecretNotFound' },
    });
  });

  it('has no surrogate Pod where there are to be none', async () => {
    const cluster = new MemoryCluster(registryOf({ replicas: 0 }));
    expect(await reconcile(key, contextOf(cluster))).toEqual({ againMs: 600_000, ready: 'False' });
    expect(cluster.of('StatefulSet')).toMatchObject([{ spec: { replicas: 0 } }]);
    expect(await conditionsOf(cluster)).toMatchObject({ Ready: { reason: 'Suspended' } });
  });

  it('says in the status that it may not make a surrogate, and fails', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    cluster.forbidden.add('StatefulSet');
    await expect(reconcile(key, contextOf(cluster))).rejects.toMatchObject({ status: 403 });
    expect(await conditionsOf(cluster)).toMatchObject({ Ready: { reason: 'ApplyFailed' } });
  });

  it.each([
    ['Secret', { loginSecret: 'login' }, { Resolved: 'True', CredentialsValid: 'Unknown' }],
    ['Service', { provider: 'simple' }, { Resolved: 'Unknown', CredentialsValid: 'Unknown' }],
    ['Pod', {}, { Resolved: 'True', CredentialsValid: 'Unknown' }],
  ])('says in the status that it may not read a %s, and fails', async (kind, spec, expected) => {
    const { direct, ...rest } = registryOf(spec).spec;
    const registry = registryOf({});
    registry.spec = 'provider' in spec ? rest : { direct, ...rest };
    const cluster = new MemoryCluster(registry, login);
    cluster.forbidden.add(kind);
    await expect(reconcile(key, contextOf(cluster))).rejects.toMatchObject({ status: 403 });
    const conditions = await conditionsOf(cluster);
    expect(conditions).toMatchObject({
      Ready: { status: 'False', reason: 'ReadFailed', message: expect.stringContaining('403') },
      Reachable: { status: 'Unknown', reason: 'ReadFailed' },
    });
    for (const [type, status] of Object.entries(expected)) {
      expect(conditions[type]).toMatchObject({ status });
    }
  });

  it('forgets nothing of the status that it could not look up again', async () => {
    const registry = registryOf({ provider: 'simple' });
    delete registry.spec.direct;
    registry.status = { pushHost: 'reposure-simple.ci.svc:5000', provider: 'simple' };
    const cluster = new MemoryCluster(registry);
    cluster.forbidden.add('Service');
    await expect(reconcile(key, contextOf(cluster))).rejects.toMatchObject({ status: 403 });
    const { status } = await cluster.get<Registry>(resourceTypes.Registry, name);
    expect(status).toMatchObject({ pushHost: 'reposure-simple.ci.svc:5000', provider: 'simple' });
  });

  it('writes no status once it was told to stop', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    await startPod(cluster);
    const before = cluster.of('Registry');
    const stopped = AbortSignal.abort(new Error('stopped'));
    const askSurrogate = () => Promise.reject(new Error('stopped'));
    const context = { ...contextOf(cluster), signal: stopped, askSurrogate };
    await expect(reconcile(key, context)).rejects.toThrow('stopped');
    expect(cluster.of('Registry')).toEqual(before);
  });

  it('counts an answer that is missing only when the next one is missing, too', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    await startPod(cluster);
    await reconcile(key, contextOf(cluster, healthy));
    const down = { reachable: false, credentialsValid: false, message: 'timed out' };
    const doubtful = { Ready: { status: 'True' }, Reachable: { status: 'False' } };
    expect(await reconcile(key, contextOf(cluster, down))).toMatchObject({ againMs: 5000 });
    expect(await conditionsOf(cluster)).toMatchObject(doubtful);
    // Writing the status wakes the watch: that look comes at once, and tells nothing new.
    expect(await reconcile(key, contextOf(cluster, down))).toMatchObject({ againMs: 5000 });
    expect(await conditionsOf(cluster)).toMatchObject(doubtful);
    const registry = await cluster.get<Registry>(resourceTypes.Registry, name);
    const reachable = conditionOf(registry, 'Reachable');
    if (reachable) reachable.lastTransitionTime = new Date(Date.now() - 5000).toISOString();
    await cluster.apply(registry, { subresource: 'status' });
    await reconcile(key, contextOf(cluster, down));
    expect(await conditionsOf(cluster)).toMatchObject({
      Ready: { status: 'False', reason: 'NoAnswer', message: 'timed out' },
    });
  });

  it('takes a rollout for something ordinary', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    await startPod(cluster);
    await reconcile(key, contextOf(cluster, healthy));
    const { status } = await cluster.get<Registry>(resourceTypes.Registry, name);
    await cluster.apply({
      ...registryOf({ direct: { host: 'other.test' } }),
      ...(status && { status }),
    });
    await reconcile(key, contextOf(cluster, healthy));
    const events = cluster.of('Event').map((event) => [event['reason'], event['type']]);
    expect(events.at(-1)).toEqual(['SurrogateNotReady', 'Normal']);
  });

  it('warns of a surrogate that has stopped being ready', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    await startPod(cluster);
    await reconcile(key, contextOf(cluster, healthy));
    await startPod(cluster, false);
    await reconcile(key, contextOf(cluster));
    const events = cluster.of('Event').map((event) => [event['reason'], event['type']]);
    expect(events.at(-1)).toEqual(['SurrogateNotReady', 'Warning']);
  });

  it('says that a name is too long, and makes nothing', async () => {
    const long = 'r'.repeat(34);
    const registry = registryOf({});
    registry.metadata.name = long;
    const cluster = new MemoryCluster(registry);
    await reconcile(`ci/${long}`, contextOf(cluster));
    expect(cluster.of('StatefulSet')).toEqual([]);
    expect(cluster.of('Registry')).toMatchObject([
      {
        status: {
          conditions: expect.arrayContaining([expect.objectContaining({ reason: 'NameInvalid' })]),
        },
      },
    ]);
  });

  it('leaves alone what is gone or going', async () => {
    const going = registryOf({});
    going.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    const cluster = new MemoryCluster(going);
    expect(await reconcile(key, contextOf(cluster))).toBeUndefined();
    expect(await reconcile('ci/other', contextOf(cluster))).toBeUndefined();
    expect(cluster.of('StatefulSet')).toEqual([]);
  });

  it('keeps the time of a condition that stays what it was', async () => {
    const earlier = '2020-01-01T00:00:00Z';
    const registry = registryOf({});
    const condition = { type: 'Resolved', status: 'True', reason: 'x', message: 'x' } as const;
    registry.status = { conditions: [{ ...condition, lastTransitionTime: earlier }] };
    const cluster = new MemoryCluster(registry);
    await reconcile(key, contextOf(cluster));
    const conditions = await conditionsOf(cluster);
    expect(conditions['Resolved']?.lastTransitionTime).toBe(earlier);
    expect(conditions['Ready']?.lastTransitionTime).not.toBe(earlier);
  });

  it('runs the surrogate with nothing that it does not need', async () => {
    const cluster = new MemoryCluster(registryOf({}));
    await reconcile(key, contextOf(cluster));
    expect(cluster.of('StatefulSet')).toMatchObject([
      {
        spec: {
          podManagementPolicy: 'Parallel',
          template: {
            metadata: { annotations: { [configAnnotation]: expect.stringMatching(/^\w{16}$/) } },
            spec: {
              automountServiceAccountToken: false,
              securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
              containers: [
                {
                  image,
                  securityContext: {
                    readOnlyRootFilesystem: true,
                    allowPrivilegeEscalation: false,
                    capabilities: { drop: ['ALL'] },
                  },
                },
              ],
            },
          },
        },
      },
    ]);
    expect(cluster.of('ConfigMap')).toMatchObject([
      { data: { 'registry.json': '{"host":"reg.test","insecure":false}' } },
    ]);
  });
});
