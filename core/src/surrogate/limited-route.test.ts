import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { streamOf } from '../bytes.ts';
import { RegistryClient } from '../registry/client.ts';
import type { RegistryRequest } from '../registry/transport.ts';
import type { Registry } from '../resource/registry.ts';
import { limitedRoute } from './limited-route.ts';
import type { Route } from './route.ts';

function registryOf(provider: string): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name: 'default', namespace: 'ci' },
    spec: { type: 'oci', provider },
  };
}

/** A registry in which everything is there, and what it was asked. */
function routeOf(): Route & { readonly asked: string[] } {
  const asked: string[] = [];
  const request = async ({ method, path }: RegistryRequest) => {
    asked.push(`${method} ${path}`);
    const headers = {
      'docker-content-digest': `sha256:${'a'.repeat(64)}`,
      'content-type': 'application/vnd.oci.image.manifest.v1+json',
      'content-length': '2',
    };
    return { status: 200, headers, body: streamOf(), discard: async () => {} };
  };
  return { via: 'exec', reason: '', request, close: async () => {}, asked };
}

const group = 'image.openshift.io/v1';
const objectOf = (kind: string, name: string) => ({
  apiVersion: group,
  kind,
  metadata: { name, namespace: 'ci' },
});

describe('limitedRoute()', () => {
  it.each([
    ['openshift', 'app', 'GET'],
    ['openshift', 'other/app', 'PUT'],
    ['harbor', 'app', 'HEAD'],
  ] as const)('of %s sends nothing for the repository %s: %s', async (provider, name, method) => {
    const route = routeOf();
    const limited = await limitedRoute(route, {
      kubernetes: new MemoryCluster(),
      registry: registryOf(provider),
    });
    await expect(
      limited.request({ method, path: `/v2/${name}/manifests/1` }),
    ).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(route.asked).toEqual([]);
  });

  it('leaves a registry without such limits as it is', async () => {
    const route = routeOf();
    const options = { kubernetes: new MemoryCluster(), registry: registryOf('minikube') };
    const { request } = await limitedRoute(route, options);
    await request({ method: 'GET', path: '/v2/_catalog' });
    await request({ method: 'PUT', path: '/v2/a/b/c/manifests/1' });
    expect(route.asked).toEqual(['GET /v2/_catalog', 'PUT /v2/a/b/c/manifests/1']);
  });
});

describe('limitedRoute() on OpenShift', () => {
  const registry = registryOf('openshift');

  it('lists the image streams of the project in place of the catalog', async () => {
    const kubernetes = new MemoryCluster(
      objectOf('ImageStream', 'web'),
      objectOf('ImageStream', 'app'),
    );
    const route = routeOf();
    const { request } = await limitedRoute(route, { kubernetes, registry });
    const client = new RegistryClient(request);
    expect(await Array.fromAsync(client.listRepositories())).toEqual(['ci/app', 'ci/web']);
    expect(route.asked).toEqual([]);
  });

  it('deletes a tag as an object, and nothing in the registry', async () => {
    const kubernetes = new MemoryCluster(objectOf('ImageStreamTag', 'app:1.2'));
    const route = routeOf();
    const { request } = await limitedRoute(route, { kubernetes, registry });
    const client = new RegistryClient(request);
    await client.deleteTag('ci/app', '1.2');
    expect(kubernetes.of('ImageStreamTag')).toEqual([]);
    await expect(client.deleteTag('ci/app', '1.2')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(route.asked.filter((line) => !line.startsWith('HEAD'))).toEqual([]);
  });

  it('says that manifests cannot be deleted', async () => {
    const options = { kubernetes: new MemoryCluster(), registry };
    const { request } = await limitedRoute(routeOf(), options);
    const path = `/v2/ci/app/manifests/sha256:${'a'.repeat(64)}`;
    await expect(request({ method: 'DELETE', path })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('oc adm prune images'),
    });
  });
});
