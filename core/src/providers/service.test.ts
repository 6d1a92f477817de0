import { describe, expect, it } from 'vitest';

import type { KubernetesObject } from '../kubernetes/index.ts';
import { resolving, resolvingBlindly } from './test/resolving.ts';

const spec = { indirect: { service: 'reg' } };

function serviceOf(fields: object): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'reg', namespace: 'ci' },
    spec: fields,
  };
}

describe('a registry behind a Service', () => {
  it.each([
    ['a number', { port: 5000, targetPort: 5443 }, 'reg.ci.svc:5443'],
    ['nothing', { port: 5000 }, 'reg.ci.svc:5000'],
  ])('that is headless, is where its Pods are: %s', async (_, port, pushHost) => {
    const headless = serviceOf({ clusterIP: 'None', ports: [port] });
    expect(await resolving(spec, headless)).toMatchObject({
      pushHost,
      nodes: { status: 'False', reason: 'NoNameForNodes' },
    });
  });

  it('that is headless, with a port by name, cannot be reached by a port', async () => {
    const headless = serviceOf({
      clusterIP: 'None',
      ports: [{ port: 5000, targetPort: 'registry' }],
    });
    await expect(resolving(spec, headless)).rejects.toMatchObject({
      reason: 'PortNotServed',
      message: expect.stringMatching(/headless.*want a number there/),
    });
  });

  it.each([
    ['a node port', { ports: [{ port: 5000, nodePort: 30_500 }] }, 'True', /localhost:30500/],
    [
      'a node port of both families',
      { ipFamilies: ['IPv6', 'IPv4'], ports: [{ port: 5000, nodePort: 30_500 }] },
      'True',
      /localhost:30500/,
    ],
    [
      'a node port of IPv6 only',
      { ipFamilies: ['IPv6'], ports: [{ port: 5000, nodePort: 30_500 }] },
      'False',
      /IPv6 only.*spec\.pullHost/,
    ],
    ['a cluster IP only', { ports: [{ port: 5000 }] }, 'False', /type: NodePort/],
  ])('with %s: NodePullable is what it says', async (_, fields, status, message) => {
    const { nodes } = await resolving(spec, serviceOf(fields));
    expect(nodes).toMatchObject({ status, message: expect.stringMatching(message) });
  });

  it('with a name for nodes in the spec, is pulled by it', async () => {
    const named = { ...spec, pullHost: 'reg.example.com' };
    expect(await resolving(named, serviceOf({ ports: [{ port: 5000 }] }))).toMatchObject({
      pullHost: 'reg.example.com',
      nodes: { status: 'Unknown', reason: 'AsTheSpecSays' },
    });
  });

  it('that may not be looked at, is taken on trust, which is said', async () => {
    expect(await resolvingBlindly(spec, 'Service')).toMatchObject({
      pushHost: 'reg.ci.svc:5000',
      note: expect.stringContaining('not looked at'),
    });
  });
});

describe('a spec that names no registry, or two', () => {
  it.each([
    [
      { direct: { host: 'a' }, indirect: { service: 'b' } },
      'AmbiguousRegistry',
      /direct and indirect/,
    ],
    [{ provider: 'service', direct: { host: 'a' } }, 'NothingToResolve', /indirect\.service/],
    [{ direct: { host: '::1' } }, 'HostInvalid', /brackets: \[::1\] or \[::1\]:PORT/],
    [{ direct: { host: '[zz::1]' } }, 'HostInvalid', /\[zz::1\]/],
    [{ direct: { host: 'a:70000' } }, 'HostInvalid', /want host\[:port\]/],
    [{ direct: { host: 'a' }, pullHost: 'http://b' }, 'HostInvalid', /pullHost is "http:\/\/b"/],
  ])('%j is refused as %s', async (given, reason, message) => {
    await expect(resolving(given)).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });

  it('takes an IPv6 address in brackets', async () => {
    expect(await resolving({ direct: { host: '[fd00::5]:5000' } })).toMatchObject({
      pushHost: '[fd00::5]:5000',
    });
  });
});
