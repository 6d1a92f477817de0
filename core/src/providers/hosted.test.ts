import { describe, expect, it } from 'vitest';

import { resolving } from './test/resolving.ts';

describe('registries that are told by their host', () => {
  it.each([
    ['ghcr', 'ghcr.io'],
    ['quay', 'quay.io'],
    ['ecr', '123456789012.dkr.ecr.eu-west-1.amazonaws.com'],
    ['ecr', '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn'],
    ['ecr', '123456789012.dkr-ecr.eu-west-1.on.aws'],
    ['gar', 'europe-west1-docker.pkg.dev'],
    ['gar', 'eu.gcr.io'],
    ['acr', 'ours.azurecr.io'],
    ['acr', 'OURS-a1b2.westeurope.azurecr.io:443'],
    ['host', 'ghcr.io.evil.test'],
    ['host', 'evilghcr.io'],
    ['host', 'azurecr.io.evil.test'],
    ['host', 'registry.example.com:5000'],
  ])('%s is %s', async (provider, host) => {
    expect(await resolving({ direct: { host } })).toMatchObject({
      provider,
      pushHost: host,
      pullHost: host,
      insecure: false,
      nodes: { status: 'Unknown', reason: 'NodesNotAsked' },
    });
  });

  it.each([
    ['ghcr', 'ghcr.io', /write:packages/],
    ['ecr', '123456789012.dkr.ecr.eu-west-1.amazonaws.com', /12 hours/],
    ['gar', 'europe-docker.pkg.dev', /ends after an hour/],
    ['acr', 'ours.azurecr.io', /three hours/],
    ['harbor', 'harbor.example.com', /robot\$/],
    ['quay', 'quay.example.com', /robot account/],
  ])('%s says which login it takes', async (provider, host, advice) => {
    const resolved = await resolving({ provider, direct: { host } });
    expect(resolved).toMatchObject({ provider, loginAdvice: expect.stringMatching(advice) });
  });

  it('finds Harbor behind a Service', async () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'harbor', namespace: 'ci' },
      spec: { ports: [{ port: 443 }] },
    };
    const spec = { provider: 'harbor', indirect: { service: 'harbor', port: 443 } };
    expect(await resolving(spec, service)).toMatchObject({
      provider: 'harbor',
      pushHost: 'harbor.ci.svc:443',
    });
  });

  it.each([
    [{ provider: 'harbor' }, 'NothingToResolve', /direct\.host or indirect\.service/],
    [
      { provider: 'ecr', direct: { host: 'ecr.example.com' } },
      'HostInvalid',
      /want ACCOUNT\.dkr\.ecr/,
    ],
    [{ provider: 'ghcr', direct: { host: 'ghcr.io.evil.test' } }, 'HostInvalid', /no host of ghcr/],
    [
      { provider: 'quay', direct: { host: 'quay.io' }, indirect: { service: 'quay' } },
      'AmbiguousRegistry',
      /direct and indirect/,
    ],
  ])('refuses %j', async (spec, reason, message) => {
    await expect(resolving(spec)).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });
});
