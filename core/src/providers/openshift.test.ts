import { rootCertificates } from 'node:tls';

import { describe, expect, it } from 'vitest';

import { clusterRegistries } from '../../../test/support/cluster-registries.ts';
import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import type { ApiObject, KubernetesObject } from '../kubernetes/index.ts';
import { credentialsOf } from './credentials.ts';
import type { Resolved } from './provider.ts';
import { registryOf, resolving, resolvingBlindly } from './test/resolving.ts';

const { openshift } = clusterRegistries;
const host = 'image-registry.openshift-image-registry.svc:5000';
const found = {
  provider: 'openshift',
  pushHost: host,
  pullHost: host,
  insecure: false,
  nodes: { status: 'True', reason: 'ConfiguredByCluster' },
};

describe('the provider openshift', () => {
  it('finds the registry', async () => {
    expect(await resolving({ provider: 'openshift' }, openshift)).toMatchObject(found);
  });

  it('goes by the well-known name where it may not look, and says so', async () => {
    const resolved = await resolvingBlindly({ provider: 'openshift' }, 'Service');
    expect(resolved).toMatchObject({ ...found, note: expect.stringContaining('not looked at') });
  });

  it.each([
    [{ provider: 'openshift' }, [], 'ServiceNotFound', /not Removed/],
    [{ provider: 'openshift', insecure: true }, [openshift], 'SpecInvalid', /always has TLS/],
    [{ provider: 'openshift', direct: { host: 'a' } }, [openshift], 'AmbiguousRegistry', /direct/],
  ])('refuses %j', async (spec, objects, reason, message) => {
    await expect(resolving(spec, ...objects)).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });
});

/** A cluster that answers the question whether an account may do something. */
class Reviewing extends MemoryCluster {
  readonly asked: unknown[] = [];
  isAllowed = true;

  override async create<T extends ApiObject>(object: T): Promise<T> {
    if (object.kind !== 'LocalSubjectAccessReview') return super.create(object);
    this.asked.push(object);
    return { ...object, status: { allowed: this.isAllowed } };
  }
}

function serviceCaOf(text: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'reposure-surrogate-default-service-ca', namespace: 'ci' },
    data: { 'service-ca.crt': text },
  };
}

describe('credentialsOf() on OpenShift', () => {
  const resolved: Resolved = {
    provider: 'openshift',
    pushHost: host,
    pullHost: host,
    insecure: false,
    isOpenShift: true,
    nodes: { status: 'True', reason: 'ConfiguredByCluster', message: '' },
  };
  const registry = registryOf({ provider: 'openshift' });
  const [certificate = ''] = rootCertificates;
  const given = {
    serviceCa: { configMap: 'reposure-surrogate-default-service-ca', key: 'service-ca.crt' },
    account: { account: 'reposure-surrogate-default' },
  };

  it('gives the service CA, and the token of the surrogate’s own account', async () => {
    const cluster = new Reviewing(serviceCaOf(certificate));
    const credentials = await credentialsOf(registry, resolved, cluster);
    expect(credentials).toEqual({ ...given, refusal: undefined });
    expect(cluster.asked).toMatchObject([
      {
        metadata: { namespace: 'ci' },
        spec: {
          user: 'system:serviceaccount:ci:reposure-surrogate-default',
          resourceAttributes: { verb: 'update', resource: 'imagestreams', subresource: 'layers' },
        },
      },
    ]);
  });

  it.each([
    ['is not there', []],
    ['is empty', [serviceCaOf('')]],
    ['holds no PEM', [serviceCaOf('soon')]],
  ])('says that the CA is missing while its ConfigMap %s', async (_, objects) => {
    const credentials = await credentialsOf(registry, resolved, new Reviewing(...objects));
    // Given all the same: it is what the kubelet waits for.
    expect(credentials).toMatchObject({ ...given, refusal: { reason: 'ServiceCaMissing' } });
  });

  it('says what lets the account push', async () => {
    const cluster = new Reviewing(serviceCaOf(certificate));
    cluster.isAllowed = false;
    const { refusal } = await credentialsOf(registry, resolved, cluster);
    expect(refusal).toMatchObject({
      reason: 'AccountMayNotPush',
      message: expect.stringContaining(
        'oc policy add-role-to-user system:image-builder -z reposure-surrogate-default -n ci',
      ),
    });
  });

  it('leaves the account out where the Registry has a login of its own', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'ci' },
      data: { '.dockerconfigjson': btoa(`{"auths":{"${host}":{"auth":"bTpw"}}}`) },
    };
    const cluster = new Reviewing(serviceCaOf(certificate), secret);
    const own = registryOf({ provider: 'openshift', loginSecret: 's' });
    const credentials = await credentialsOf(own, resolved, cluster);
    expect(credentials).toMatchObject({ serviceCa: given.serviceCa, login: { secret: 's' } });
    expect(credentials.account).toBeUndefined();
    expect(cluster.asked).toEqual([]);
  });
});
