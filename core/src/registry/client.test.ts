import { afterEach, describe, expect, it } from 'vitest';

import { collect, LimitExceededError } from '../bytes.ts';
import { InputError } from '../errors.ts';
import { ContentInvalidError, ContentMismatchError, digestOf, mediaTypes } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';
import { RegistryClient } from './client.ts';
import { directTransport } from './direct.ts';
import type { ClosableTransport } from './direct.ts';
import { AuthenticationError, RegistryError } from './registry-error.ts';
import { startTestServer } from './test/server.ts';
import type { Answer, TestServer } from './test/server.ts';

const hello = Buffer.from('hello, hello');
const digest = digestOf(hello);
const descriptor = { digest, size: hello.byteLength };

let server: TestServer;
let transport: ClosableTransport;

async function against(answer: Answer): Promise<RegistryClient> {
  server = await startTestServer((request, response) => {
    if (request.url === '/v2/') response.end();
    else answer(request, response);
  });
  transport = directTransport({ host: server.host, insecure: true });
  return new RegistryClient(transport);
}

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.catch((e: unknown) => e);

afterEach(async () => {
  await transport.close();
  await server.close();
});

describe('RegistryClient', () => {
  it('lets nothing but digests, tags and names into a path (GHSA-qv35-3gw6-8q4j)', async () => {
    const client = await against((_, response) => response.end());
    const evil = '../../admin' as Digest;
    const tries = [
      () => client.statBlob('a/b', evil),
      () => client.openBlob('a/b', { digest: evil, size: 1 }),
      () => client.mountBlob('a/b', evil, 'a/c'),
      () => client.mountBlob('a/b', digest, '../c'),
      () => client.deleteManifest('a/b', evil),
      () => client.deleteManifest('a/b', 'latest' as Digest),
      () => client.referrers('a/b', evil),
      () => client.getManifest('a/b', evil),
      () => client.getManifest('../b', 'x'),
      () => client.getManifest('a?b', 'x'),
      () => client.getManifest('a/b', 'x?y'),
      () => client.startUpload('A/b'),
      () => client.listTags('a//b').next(),
      () => client.deleteTag('a/b', digest),
    ];
    for (const attempt of tries) {
      expect(await failureOf(attempt())).toBeInstanceOf(InputError);
    }
    expect(server.arrived).toEqual([]);
  });

  it('says what the registry said', async () => {
    const client = await against((_, response) => {
      response.writeHead(429, { 'retry-after': '7', 'content-type': 'application/json' });
      const errors = [
        { code: 'TOOMANYREQUESTS', message: 'slow\u001b[31m down', detail: { n: 1 } },
      ];
      response.end(JSON.stringify({ errors }));
    });
    const failure = await failureOf(client.startUpload('a/b'));
    expect(failure).toBeInstanceOf(RegistryError);
    expect(failure).toMatchObject({
      message: 'POST /v2/a/b/blobs/uploads/ answered 429; TOOMANYREQUESTS: slow [31m down',
      status: 429,
      isTransient: true,
      isNotFound: false,
      retryAfterMs: 7000,
      diagnostics: [{ code: 'TOOMANYREQUESTS', detail: { n: 1 } }],
    });
  });

  it('says of an unknown error what the system said, without its path', async () => {
    const client = await against((_, response) => {
      // As Distribution 2.8 and 3.1 answer.
      const detail = 'write /data/a/_uploads/s3cret/data: no space left on device';
      const errors = [{ code: 'UNKNOWN', message: 'unknown error', detail }];
      response.writeHead(500).end(JSON.stringify({ errors }));
    });
    const failure = await failureOf(client.startUpload('a/b'));
    expect(String(failure)).toContain('UNKNOWN: unknown error: write …: no space left on device');
    expect(String(failure)).not.toContain('s3cret');
  });

  it.each([401, 403])('takes %i for a failed login', async (status) => {
    const client = await against((_, response) => {
      response.writeHead(status).end('{"errors":[{"code":"DENIED","message":"not you"}]}');
    });
    const failure = await failureOf(client.startUpload('a/b'));
    expect(failure).toBeInstanceOf(AuthenticationError);
    expect(failure).toMatchObject({
      code: 'AUTHENTICATION',
      message: expect.stringMatching(/DENIED: not you/),
    });
  });

  it('reads no more than 64 KiB of an error (oras-project/oras-go#1214)', async () => {
    let isCut = false;
    const client = await against((request, response) => {
      response.writeHead(500, { 'content-type': 'text/plain' });
      request.socket.once('close', () => {
        isCut = true;
      });
      const flood = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', flood);
      flood();
    });
    const failure = await failureOf(client.startUpload('a/b'));
    expect(failure).toMatchObject({ status: 500, message: expect.stringMatching(/x{100}$/) });
    await expect.poll(() => isCut).toBe(true);
  });

  it('names an upload without its secret', async () => {
    const client = await against((_, response) => response.writeHead(500).end());
    const upload = {
      repository: 'a',
      location: '/v2/a/blobs/uploads/s3cret?_state=s3cret',
      offset: 0,
    };
    const failure = await failureOf(client.appendUpload(upload, hello, { size: hello.byteLength }));
    expect(String(failure)).toContain('PATCH /v2/a/blobs/uploads/… answered 500');
    expect(String(failure)).not.toContain('s3cret');
  });
});

describe('RegistryClient.openBlob()', () => {
  it.each([
    ['a missing byte', hello.subarray(1), true],
    ['an extra byte', Buffer.concat([hello, Buffer.from('!')]), true],
    ['an altered byte', Buffer.from('hello, hellO'), false],
    ['an extra byte that is not announced', Buffer.concat([hello, Buffer.from('!')]), false],
  ])('refuses %s', async (_, sent, isAnnounced) => {
    const client = await against((request, response) => {
      if (isAnnounced) response.setHeader('content-length', sent.byteLength);
      response.write(sent);
      response.end();
    });
    const reading = client.openBlob('a/b', descriptor).then((body) => Array.fromAsync(body));
    expect(await failureOf(reading)).toBeInstanceOf(ContentMismatchError);
  });

  it.each([
    ['knows ranges', 206, hello.subarray(7), 'bytes 7-11/12'],
    ['does not', 200, hello, undefined],
  ])('goes on at an offset where the registry %s', async (_, status, sent, range) => {
    const client = await against((request, response) => {
      expect(request.headers.range).toBe('bytes=7-');
      response.writeHead(status, range ? { 'content-range': range } : {});
      for (const byte of sent) response.write(Buffer.of(byte));
      response.end();
    });
    const body = await client.openBlob('a/b', descriptor, { offset: 7 });
    expect(String(await collect(body, 'it', 1e9))).toBe('hello');
  });

  it('refuses bytes from another offset', async () => {
    const client = await against((_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-11/12' }).end(hello);
    });
    const failure = await failureOf(client.openBlob('a/b', descriptor, { offset: 7 }));
    expect(failure).toBeInstanceOf(ContentMismatchError);
  });

  it('asks for nothing after the last byte', async () => {
    const client = await against((_, response) => response.writeHead(416).end());
    const body = await client.openBlob('a/b', descriptor, { offset: hello.byteLength });
    expect(await Array.fromAsync(body)).toEqual([]);
    expect(server.arrived).toEqual([]);
  });
});

describe('RegistryClient uploads', () => {
  it('send nowhere but to the registry that was asked', async () => {
    const client = await against((_, response) => {
      response
        .writeHead(202, { location: 'http://evil.example.com:1/v2/a/blobs/uploads/7?s=1' })
        .end();
    });
    expect(await client.startUpload('a')).toEqual({
      repository: 'a',
      location: '/v2/a/blobs/uploads/7?s=1',
      offset: 0,
    });
  });

  it.each([
    ['nothing', '0-0', 12, 0],
    ['one byte, where one was sent', '0-0', 1, 1],
    ['some', '0-4', 12, 5],
    ['all', 'bytes=0-11', 12, 12],
    ['nothing, as zot has it', '0--1', 12, 0],
  ])('know that the registry has %s', async (_, range, offset, expected) => {
    const client = await against((__, response) => response.writeHead(204, { range }).end());
    const upload = { repository: 'a', location: '/v2/a/blobs/uploads/1', offset };
    expect(await client.statUpload(upload)).toEqual({ ...upload, offset: expected });
  });

  it('refuse to be stored as another digest', async () => {
    const other = digestOf('other');
    const client = await against((_, response) => {
      response.writeHead(201, { 'docker-content-digest': other }).end();
    });
    const upload = { repository: 'a', location: '/v2/a/blobs/uploads/1?s=1', offset: 0 };
    const failure = await failureOf(client.finishUpload(upload, digest, { body: hello }));
    expect(failure).toBeInstanceOf(ContentMismatchError);
    expect(server.arrived[1]?.url).toBe(
      `/v2/a/blobs/uploads/1?s=1&digest=${encodeURIComponent(digest)}`,
    );
  });

  it('learn the smallest chunk that is taken', async () => {
    const headers = { location: '/x', 'oci-chunk-min-length': '1000' };
    const client = await against((_, response) => response.writeHead(202, headers).end());
    expect(await client.startUpload('a')).toMatchObject({ minChunkBytes: 1000, location: '/x' });
  });
});

describe('RegistryClient.getManifest()', () => {
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
  const bytes = Buffer.from(JSON.stringify(index));

  const serving = (body: string | Buffer, headers: Record<string, string>): Answer => {
    return (_, response) => void response.writeHead(200, headers).end(body);
  };

  it('refuses a document that is a manifest and an index (CVE-2021-41190)', async () => {
    const both = JSON.stringify({ ...index, layers: [], config: {} });
    const client = await against(serving(both, { 'content-type': mediaTypes.ociIndex }));
    expect(await failureOf(client.getManifest('a', 'x'))).toBeInstanceOf(ContentInvalidError);
  });

  it('refuses a document that is not what its Content-Type says (CVE-2021-41190)', async () => {
    const client = await against(serving(bytes, { 'content-type': mediaTypes.ociManifest }));
    expect(await failureOf(client.getManifest('a', 'x'))).toBeInstanceOf(ContentInvalidError);
  });

  it('takes a vague Content-Type for none', async () => {
    const client = await against(serving(bytes, { 'content-type': 'application/json; charset=x' }));
    const { descriptor: found } = await client.getManifest('a', 'x');
    expect(found).toMatchObject({ mediaType: mediaTypes.ociIndex, digest: digestOf(bytes) });
  });

  it('refuses another content than was asked for, or than the registry states (CVE-2024-3727)', async () => {
    const type = { 'content-type': mediaTypes.ociIndex };
    const client = await against(serving(bytes, type));
    const failure = await failureOf(client.getManifest('a', digest));
    expect(failure).toBeInstanceOf(ContentMismatchError);
    await transport.close();
    await server.close();
    const other = await against(serving(bytes, { ...type, 'docker-content-digest': digest }));
    expect(await failureOf(other.getManifest('a', 'x'))).toBeInstanceOf(ContentMismatchError);
  });

  it('refuses a manifest of more than 4 MiB (oras-project/oras-go#1214)', async () => {
    const client = await against((_, response) => {
      for (let part = 0; part < 65; part++) response.write('x'.repeat(65_536));
      response.end();
    });
    expect(await failureOf(client.getManifest('a', 'x'))).toBeInstanceOf(LimitExceededError);
  });

  it('falls back to GET where HEAD tells too little', async () => {
    const client = await against(serving(bytes, { 'content-type': mediaTypes.ociIndex }));
    expect(await client.statManifest('a', 'x')).toEqual({
      mediaType: mediaTypes.ociIndex,
      digest: digestOf(bytes),
      size: bytes.byteLength,
    });
    expect(server.arrived.map(({ method }) => method)).toEqual(['GET', 'HEAD', 'GET']);
  });
});

describe('RegistryClient.statManifest()', () => {
  it('does not take a page for a manifest', async () => {
    const client = await against((_, response) => {
      const page = '<h1>Log in</h1>';
      const headers = { 'content-type': 'text/html', 'content-length': page.length };
      response.writeHead(200, headers).end(page);
    });
    const failure = await failureOf(client.statManifest('a', digest));
    expect(failure).toBeInstanceOf(ContentInvalidError);
  });
});

describe('RegistryClient.statBlob()', () => {
  const total = hello.byteLength;
  it.each([
    ['a range', 206, { 'content-range': `bytes 0-0/${total}` }, total],
    ['the whole', 200, { 'content-length': String(total) }, total],
    ['an empty blob', 416, { 'content-range': 'bytes */0' }, 0],
    ['nothing', 404, {}, undefined],
  ])('learns a size that HEAD does not tell from %s', async (_, status, headers, expected) => {
    const client = await against((request, response) => {
      const isAsked = request.method === 'GET' && request.headers.range === 'bytes=0-0';
      response.writeHead(isAsked ? status : 200, isAsked ? headers : {}).flushHeaders();
      response.end(isAsked && status === 200 ? hello : '');
    });
    expect(await client.statBlob('a/b', digest)).toBe(expected);
  });

  it('does not guess a size', async () => {
    const client = await against((_, response) => {
      response.writeHead(200).flushHeaders();
      response.end();
    });
    expect(await failureOf(client.statBlob('a/b', digest))).toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe('RegistryClient lists', () => {
  it('follow relative and absolute links, at this registry only', async () => {
    const pages: Record<string, [string[], string?]> = {
      '/v2/a/tags/list?n=1000': [['1', '2'], '</v2/a/tags/list?n=2&last=2>; rel="next"'],
      '/v2/a/tags/list?n=2&last=2': [
        ['3'],
        '<https://evil.example.com/v2/a/tags/list?last=3>; rel=next',
      ],
      '/v2/a/tags/list?last=3': [['not a tag', '4']],
    };
    const client = await against(({ url = '' }, response) => {
      const [tags = [], link] = pages[url] ?? [];
      response.writeHead(200, link ? { link } : {}).end(JSON.stringify({ name: 'a', tags }));
    });
    expect(await Array.fromAsync(client.listTags('a'))).toEqual(['1', '2', '3', '4']);
  });

  it.each([
    ['to itself', '</v2/_catalog?n=100>; rel="next"'],
    ['out of the API', '</admin/delete-everything>; rel="next"'],
  ])('stop where a link leads %s (oras-project/oras-go#1214)', async (_, link) => {
    const client = await against((__, response) => {
      response.writeHead(200, { link }).end('{"repositories":["a"]}');
    });
    const failure = await failureOf(Array.fromAsync(client.listRepositories()));
    expect(failure).toBeInstanceOf(ContentInvalidError);
    expect(server.arrived).toHaveLength(2);
  });

  it('let the registry choose the page size where it insists', async () => {
    const client = await against(({ url }, response) => {
      if (url?.includes('n=')) response.writeHead(400).end();
      else response.end('{"repositories":["a","b"]}');
    });
    expect(await Array.fromAsync(client.listRepositories())).toEqual(['a', 'b']);
  });

  it('take null for none', async () => {
    const client = await against((_, response) => response.end('{"name":"a","tags":null}'));
    expect(await Array.fromAsync(client.listTags('a'))).toEqual([]);
  });
});

describe('RegistryClient.referrers()', () => {
  const referrer = { mediaType: mediaTypes.ociManifest, digest, size: 3, artifactType: 'x/y' };
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [referrer],
  });

  it('asks the API', async () => {
    const client = await against((_, response) => {
      response.writeHead(200, { 'content-type': mediaTypes.ociIndex }).end(index);
    });
    expect(await client.referrers('a', digest)).toEqual([referrer]);
  });

  it.each([
    ['404', 404, 'text/plain'],
    ['a page for people', 200, 'text/html'],
  ])('reads the tag where the API answers %s', async (_, status, type) => {
    const client = await against(({ url }, response) => {
      if (url === `/v2/a/manifests/${digest.replace(':', '-')}`) {
        response.writeHead(200, { 'content-type': mediaTypes.ociIndex }).end(index);
      } else response.writeHead(status, { 'content-type': type }).end('<html>');
    });
    expect(await client.referrers('a', digest)).toEqual([referrer]);
  });

  it('does not take a failing registry for one without referrers', async () => {
    const client = await against((_, response) => response.writeHead(503).end());
    expect(await failureOf(client.referrers('a', digest))).toMatchObject({ status: 503 });
  });
});

describe('RegistryClient.deleteTag()', () => {
  const manifest = {
    'content-type': mediaTypes.ociIndex,
    'docker-content-digest': digest,
    'content-length': '12',
  };

  it('puts the tag back where the last step fails', async () => {
    const index = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] }),
    );
    let tagged: Buffer = index;
    let deletions = 0;
    // The trial is deleted; the manifest that the tag was led to is not.
    const statusOf = (asked: string): number => {
      if (asked === 'DELETE /v2/a/manifests/x') return 405;
      if (asked.startsWith('DELETE')) return ++deletions > 1 ? 500 : 202;
      return asked.startsWith('PUT') ? 201 : 200;
    };
    const client = await against((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const asked = `${request.method} ${request.url}`;
        if (asked === 'PUT /v2/a/manifests/x') tagged = Buffer.concat(chunks);
        const headers = {
          'content-type': mediaTypes.ociIndex,
          'content-length': tagged.byteLength,
        };
        response.writeHead(statusOf(asked), headers).end(tagged);
      });
    });
    expect(await failureOf(client.deleteTag('a', 'x'))).toMatchObject({ status: 500 });
    expect(deletions).toBe(2);
    expect(tagged).toEqual(index);
  });

  it('leaves a registry alone that is read-only', async () => {
    const client = await against((request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, manifest).end();
      else response.writeHead(405).end();
    });
    const failure = await failureOf(client.deleteTag('a', 'x'));
    expect(failure).toMatchObject({ code: 'UNSUPPORTED' });
    expect(server.arrived.map(({ method }) => method)).not.toContain('POST');
  });
});
