import { afterEach, describe, expect, it } from 'vitest';

import { streamOf } from '../bytes.ts';
import { UnreachableError } from '../errors.ts';
import { RegistryClient } from './client.ts';
import type { Credentials } from './credentials.ts';
import { directTransport } from './direct.ts';
import { AuthenticationError, RegistryError } from './registry-error.ts';
import { startTestServer } from './test/server.ts';
import type { Answer, Arrived, TestServer } from './test/server.ts';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

async function serve(answer: Answer): Promise<TestServer> {
  const server = await startTestServer(answer);
  opened.push(server);
  return server;
}

function clientOf(host: string, credentials?: () => Credentials | undefined): RegistryClient {
  const transport = directTransport({
    host,
    insecure: true,
    ...(credentials ? { credentials: () => Promise.resolve(credentials()) } : {}),
  });
  opened.push(transport);
  return new RegistryClient(transport);
}

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.catch((e: unknown) => e);
const authorizations = (arrived: readonly Arrived[]): [string, string | undefined][] =>
  arrived.map(({ url, headers }) => [url, headers.authorization]);

describe('authenticated() with Basic', () => {
  const login = { kind: 'basic', username: 'user', password: 'hunter2' } as const;
  const header = `Basic ${Buffer.from('user:hunter2').toString('base64')}`;
  const guarded =
    (wanted: () => string): Answer =>
    ({ headers }, response) => {
      if (headers.authorization === wanted()) {
        response.writeHead(202, { location: '/v2/a/blobs/uploads/1' }).end();
      } else response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    };

  it('asks once how to log in, and sends nothing before', async () => {
    const server = await serve(guarded(() => header));
    const client = clientOf(server.host, () => login);
    await Promise.all([client.startUpload('a'), client.startUpload('a')]);
    expect(authorizations(server.arrived)).toEqual([
      ['/v2/', undefined],
      ['/v2/a/blobs/uploads/', header],
      ['/v2/a/blobs/uploads/', header],
    ]);
  });

  it('sends no login to a registry that asks for none', async () => {
    const server = await serve((_, response) => response.writeHead(202, { location: '/x' }).end());
    await clientOf(server.host, () => login).startUpload('a');
    expect(authorizations(server.arrived).map(([, sent]) => sent)).toEqual([undefined, undefined]);
  });

  it('takes a password that was changed while it runs', async () => {
    let password = 'old';
    const basic = (text: string): string => `Basic ${Buffer.from(`u:${text}`).toString('base64')}`;
    const server = await serve(guarded(() => basic(password)));
    const client = clientOf(server.host, () => ({ kind: 'basic', username: 'u', password }));
    await client.startUpload('a');
    password = 'new';
    await client.startUpload('a');
    expect(server.arrived.at(-1)?.headers.authorization).toBe(basic('new'));
  });

  it('names the registry, not the login, when it is refused', async () => {
    const server = await serve(guarded(() => 'another'));
    const failure = await failureOf(clientOf(server.host, () => login).startUpload('a'));
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(String(failure)).toContain(`Cannot log in to ${server.host}: it refuses the login`);
    expect(String(failure)).not.toMatch(/hunter2|user:/);
  });

  it('says that a login is needed where there is none', async () => {
    const server = await serve(guarded(() => header));
    const failure = await failureOf(clientOf(server.host).startUpload('a'));
    expect(String(failure)).toContain(`Cannot log in to ${server.host}: it wants a login`);
  });
});

/** A registry that is its own token service: what it gave last is what it takes. */
async function bearerRegistry(token: Answer): Promise<TestServer & { valid: Set<string> }> {
  const valid = new Set<string>();
  const server = await serve((request, response) => {
    if (request.url?.startsWith('/token')) return token(request, response);
    if (valid.has(request.headers.authorization ?? '')) {
      response.writeHead(202, { location: '/v2/a/blobs/uploads/1' }).end();
      return;
    }
    const realm = `http://${request.headers.host}/token?x=1`;
    const challenge = `Bearer realm="${realm}",service="the service",scope="repository:extra:pull"`;
    response.writeHead(401, { 'www-authenticate': challenge }).end();
  });
  return Object.assign(server, { valid });
}

describe('authenticated() with Bearer', () => {
  it('gets a token by Basic, for what the request does, and keeps it', async () => {
    const server = await bearerRegistry(({ headers }, response) => {
      expect(headers.authorization).toMatch(/^Basic /);
      server.valid.add('Bearer t1');
      response.end('{"token":"t1"}');
    });
    const login = { kind: 'basic', username: 'u', password: 'p' } as const;
    const client = clientOf(server.host, () => login);
    await Promise.all([client.startUpload('a/b'), client.startUpload('a/b')]);
    const tokens = server.arrived.filter(({ url }) => url.startsWith('/token'));
    expect(tokens.map(({ url }) => url)).toEqual([
      '/token?x=1&service=the+service&scope=repository%3Aa%2Fb%3Apull%2Cpush',
    ]);
  });

  it('swaps an identity token by POST', async () => {
    let form = '';
    const server = await bearerRegistry((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => (form += text));
      request.on('end', () => response.end('{"access_token":"t1"}'));
      server.valid.add('Bearer t1');
    });
    await clientOf(server.host, () => ({ kind: 'token', token: 'refresh' })).startUpload('a');
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'reposure',
      refresh_token: 'refresh',
      service: 'the service',
      scope: 'repository:a:pull,push',
    });
  });

  it('sends an access token as it is', async () => {
    const server = await bearerRegistry((_, response) => response.writeHead(500).end());
    server.valid.add('Bearer mine');
    await clientOf(server.host, () => ({ kind: 'bearer', token: 'mine' })).startUpload('a');
    expect(server.arrived.some(({ url }) => url.startsWith('/token'))).toBe(false);
  });

  it('renews a token once when it is refused, with the scope that the refusal names', async () => {
    let given = 0;
    const server = await bearerRegistry((_, response) => {
      server.valid.clear();
      if (++given > 1) server.valid.add(`Bearer t${given}`);
      response.end(JSON.stringify({ token: `t${given}` }));
    });
    const client = clientOf(server.host);
    await client.startUpload('a');
    await client.startUpload('a');
    const tokens = server.arrived.filter(({ url }) => url.startsWith('/token'));
    expect(tokens).toHaveLength(2);
    expect(new URL(tokens[1]?.url ?? '', 'http://x').searchParams.getAll('scope')).toEqual([
      'repository:a:pull,push',
      'repository:extra:pull',
    ]);
  });

  it('gives up after one renewal', async () => {
    let given = 0;
    const server = await bearerRegistry((_, response) => {
      response.end(JSON.stringify({ token: `t${++given}` }));
    });
    const failure = await failureOf(clientOf(server.host).startUpload('a'));
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(server.arrived.filter(({ method }) => method === 'POST')).toHaveLength(2);
  });

  it('does not repeat a stream, but says that another try helps', async () => {
    let given = 0;
    const server = await bearerRegistry((_, response) => {
      server.valid.clear();
      server.valid.add(`Bearer t${++given}`);
      response.end(JSON.stringify({ token: `t${given}` }));
    });
    const client = clientOf(server.host);
    const upload = await client.startUpload('a');
    server.valid.clear();
    const append = (): Promise<unknown> =>
      failureOf(client.appendUpload(upload, streamOf(Buffer.from('x')), { size: 1 }));
    const failure = await append();
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(failure).toMatchObject({ isTransient: true });
    expect(await append()).toMatchObject({ offset: 1 });
  });

  it.each([
    [401, AuthenticationError],
    [403, AuthenticationError],
    [503, RegistryError],
  ])('tells a refusing token service (%i) from a broken one', async (status, kind) => {
    const server = await bearerRegistry((_, response) => response.writeHead(status).end());
    expect(await failureOf(clientOf(server.host).startUpload('a'))).toBeInstanceOf(kind);
  });

  it.each([['{}'], ['no JSON'], ['{"token":"a b"}'], ['{"token":"a\\r\\nx: y"}']])(
    'refuses %s as a token',
    async (answer) => {
      const server = await bearerRegistry((_, response) => response.end(answer));
      const failure = await failureOf(clientOf(server.host).startUpload('a'));
      expect(failure).toBeInstanceOf(AuthenticationError);
    },
  );

  it('asks again for a token whose time is over', async () => {
    let given = 0;
    const server = await bearerRegistry((_, response) => {
      server.valid.add(`Bearer t${++given}`);
      response.end(JSON.stringify({ token: `t${given}`, expires_in: 0.001 }));
    });
    const client = clientOf(server.host);
    await client.startUpload('a');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await client.startUpload('a');
    expect(given).toBe(2);
  });
});

describe('authenticated() against a hostile registry', () => {
  const login = { kind: 'basic', username: 'user', password: 'hunter2' } as const;

  it('sends no login to a private address that the realm names (CVE-2020-15157, google/go-containerregistry#2243)', async () => {
    const victim = await serve((_, response) => response.end('{"token":"t"}'));
    const registry = await serve((_, response) => {
      const challenge = `Bearer realm="http://${victim.host}/token"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    const failure = await failureOf(clientOf(registry.host, () => login).startUpload('a'));
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(String(failure)).toMatch(/loopback address/);
    expect(victim.arrived).toEqual([]);
  });

  it('sends no login to where the token service redirects (devcontainers/cli#1276)', async () => {
    const victim = await serve((_, response) => response.end('{"token":"t"}'));
    const registry = await bearerRegistry((_, response) => {
      response.writeHead(307, { location: `http://${victim.host}/` }).end();
    });
    const failure = await failureOf(clientOf(registry.host, () => login).startUpload('a'));
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(victim.arrived).toEqual([]);
  });

  it('sends a refresh token nowhere but to the realm', async () => {
    const registry = await bearerRegistry((request, response) => {
      if (request.url !== '/token-elsewhere') {
        response.writeHead(307, { location: '/token-elsewhere' });
      }
      response.end('{"token":"t"}');
    });
    const client = clientOf(registry.host, () => ({ kind: 'token', token: 'refresh' }));
    expect(await failureOf(client.startUpload('a'))).toMatchObject({ status: 307 });
    expect(registry.arrived.map(({ url }) => url)).not.toContain('/token-elsewhere');
  });

  it('refuses a way to log in that it does not know', async () => {
    const server = await serve((_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end();
    });
    const failure = await failureOf(clientOf(server.host, () => login).startUpload('a'));
    expect(String(failure)).toMatch(/asks for negotiate; want Basic or Bearer/);
  });
});
