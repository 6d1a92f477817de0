import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import type { KubernetesObject } from '../kubernetes/index.ts';
import { RegistrySpec } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { isHost } from './host-name.ts';
import { resolveProvider } from './resolve.ts';

function registryOf(spec: object): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name: 'default', namespace: 'ci' },
    spec: RegistrySpec.parse(spec),
  };
}

function serviceOf(name: string, namespace: string, nodePort?: number): KubernetesObject {
  const port = { port: 5000, ...(nodePort === undefined ? {} : { nodePort }) };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [port] },
  };
}

describe('resolveProvider()', () => {
  it('takes a host as it is, for pushing and pulling', async () => {
    const registry = registryOf({ direct: { host: 'reg.example.com:5000' } });
    expect(await resolveProvider(registry, new MemoryCluster())).toMatchObject({
      provider: 'host',
      pushHost: 'reg.example.com:5000',
      pullHost: 'reg.example.com:5000',
      insecure: false,
    });
  });

  it('finds a Service in the Registry’s namespace, by the predecessor’s default port', async () => {
    const cluster = new MemoryCluster(serviceOf('reg', 'ci'));
    const resolved = await resolveProvider(registryOf({ indirect: { service: 'reg' } }), cluster);
    expect(resolved).toMatchObject({ pushHost: 'reg.ci.svc:5000', pullHost: undefined });
  });

  it('takes a Service on trust that it may not see', async () => {
    const cluster = new MemoryCluster();
    cluster.forbidden.add('Service');
    const registry = registryOf({ indirect: { service: 'reg', namespace: 'other', port: 443 } });
    expect(await resolveProvider(registry, cluster)).toMatchObject({
      pushHost: 'reg.other.svc:443',
    });
  });

  it.each([
    [{ provider: 'simple' }, true],
    [{ provider: 'simple', tlsSecret: 'ca' }, false],
    [{ provider: 'simple', authenticationSecret: 'ca' }, false],
    [{ provider: 'simple', tlsSecret: 'ca', insecure: true }, true],
  ])('finds the simple registry of %j: plain HTTP %s', async (spec, insecure) => {
    const cluster = new MemoryCluster(serviceOf('reposure-simple', 'ci', 30_500));
    expect(await resolveProvider(registryOf(spec), cluster)).toMatchObject({
      provider: 'simple',
      pushHost: 'reposure-simple.ci.svc:5000',
      pullHost: 'localhost:30500',
      insecure,
    });
  });

  it('lets the spec say how nodes pull', async () => {
    const cluster = new MemoryCluster(serviceOf('reposure-simple', 'ci', 30_500));
    const registry = registryOf({ provider: 'simple', pullHost: 'reg.example.com' });
    expect(await resolveProvider(registry, cluster)).toMatchObject({ pullHost: 'reg.example.com' });
  });

  it.each([
    [{ provider: 'simple' }, 'ServiceNotFound', /reposure simple install -n ci/],
    [{ indirect: { service: 'nope' } }, 'ServiceNotFound', /no Service ci\/nope/],
    [{ indirect: { service: 'reg', port: 80 } }, 'PortNotServed', /no port 80; want 5000/],
    [{ direct: { host: 'https://me:secret@reg/x' } }, 'HostInvalid', /"https:\/\/\*\*\*@reg\/x"/],
    [{ provider: 'host' }, 'NothingToResolve', /direct\.host/],
    [{ provider: 'simple', direct: { host: 'reg' } }, 'AmbiguousRegistry', /and direct/],
    [{ provider: 'simple', indirect: { service: 'reg' } }, 'AmbiguousRegistry', /and indirect/],
    [{ provider: 'nexus' }, 'UnknownProvider', /simple, minikube, .*, host, service/],
    [{}, 'NothingToResolve', /names no registry/],
  ])('says of %j: %s', async (spec, reason, message) => {
    const cluster = new MemoryCluster(serviceOf('reg', 'ci'));
    const failure: unknown = await resolveProvider(registryOf(spec), cluster).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ reason, message: expect.stringMatching(message) });
  });
});

describe('isHost()', () => {
  it.each([
    'reg',
    'reg.example.com',
    'localhost:5000',
    '10.0.0.1:80',
    '[::1]:5000',
    'reg.ci.svc:65535',
  ])('takes %s', (text) => {
    expect(isHost(text)).toBe(true);
  });

  it.each([
    '',
    'https://reg',
    'reg/path',
    'user@reg',
    'reg:0',
    'reg:65536',
    'reg:',
    'a b',
    'reg\n',
    'reg?x',
  ])('refuses %j', (text) => {
    expect(isHost(text)).toBe(false);
  });
});
