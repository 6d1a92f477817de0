import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ReposureError } from '@reposure/core';
import { openSink, openSource } from '@reposure/core/content';
import { directTransport, RegistryClient } from '@reposure/core/registry';
import type { Route } from '@reposure/core/surrogate';
import { parseDestination, parseImageName, pull, push } from '@reposure/core/transfer';
import { startRegistry } from '@reposure/local/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startMisbehaving } from '../support/misbehaving-registry.ts';
import type { Answered, Asked, Misbehaviour } from '../support/misbehaving-registry.ts';
import { writeRandomImage } from '../support/random-image.ts';

let directory: string;
let honest: Awaited<ReturnType<typeof startRegistry>>;
let digest: string;

const layerBytes = 200_000;
const place = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'misbehaving-'));
  honest = await startRegistry({ directory: place('registry') });
  digest = await writeRandomImage(place('image'), { layers: 1, layerBytes });
  await through(honest.host, async (route) => {
    const source = await openSource(`oci:${place('image')}`);
    await push(route, source, parseDestination('team/app:1'));
    await source.close();
  });
});

afterAll(async () => {
  await honest.close();
  await rm(directory, { recursive: true, force: true });
});

async function through<T>(host: string, work: (route: Route) => Promise<T>): Promise<T> {
  const transport = directTransport({ host, insecure: true });
  try {
    return await work({ via: 'direct', reason: '', request: transport, close: async () => {} });
  } finally {
    await transport.close();
  }
}

/** What a transfer at a misbehaving registry ends with: its digest, or its error. */
async function at(
  misbehave: Misbehaviour,
  work: (route: Route) => Promise<{ readonly digest: string }>,
): Promise<{ digest?: string; error?: unknown }> {
  const registry = await startMisbehaving(honest.host, misbehave);
  try {
    return { digest: (await through(registry.host, work)).digest };
  } catch (error) {
    return { error };
  } finally {
    await registry.close();
  }
}

let count = 0;
async function pushAt(
  misbehave: Misbehaviour,
): Promise<{ digest?: string; error?: unknown; tag: string | undefined }> {
  const repository = `team/bad-${count++}`;
  const outcome = await at(misbehave, async (route) => {
    const source = await openSource(`oci:${place('image')}`);
    try {
      return await push(route, source, parseDestination(`${repository}:1`), { retries: 1 });
    } finally {
      await source.close();
    }
  });
  const tag = await through(honest.host, ({ request }) =>
    new RegistryClient(request).statManifest(repository, '1'),
  );
  return { ...outcome, tag: tag?.digest };
}

async function pullAt(
  misbehave: Misbehaviour,
): Promise<{ digest?: string; error?: unknown; isThere: boolean }> {
  const layout = `oci:${place(`pulled-${count++}`)}`;
  const outcome = await at(misbehave, async (route) =>
    pull(route, parseImageName('team/app:1'), await openSink(layout), { retries: 1 }),
  );
  const isThere = await openSource(layout).then(
    async (source) => {
      await source.close();
      return true;
    },
    () => false,
  );
  return { ...outcome, isThere };
}

const isUpload = ({ url }: Asked): boolean => url.includes('/blobs/uploads/');
const isBlob = ({ url }: Asked): boolean => /\/blobs\/sha256:/.test(url);
const isManifest = ({ url }: Asked): boolean => url.includes('/manifests/');
const html = (status = 200): Answered => {
  const body = Buffer.from('<html><h1>Please log in</h1></html>');
  return {
    status,
    headers: { 'content-type': 'text/html', 'content-length': String(body.byteLength) },
    body,
  };
};
const saying = (status: number, code: string, message: string): Answered => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify({ errors: [{ code, message }] })),
});
const when =
  (is: (asked: Asked) => boolean, answer: (honest: Answered) => Answered): Misbehaviour =>
  async (asked, forward) =>
    is(asked) ? answer(await forward()) : undefined;
const isLayer = (answer: Answered): boolean => answer.body.byteLength >= layerBytes / 4;
/** Does so once, and is honest from then on. */
const once = (misbehave: Misbehaviour): Misbehaviour => {
  let isOver = false;
  return async (asked, forward) => {
    if (isOver) return undefined;
    const answer = await misbehave(asked, forward);
    isOver = answer !== undefined;
    return answer;
  };
};
const by =
  (method: string, is: (asked: Asked) => boolean) =>
  (asked: Asked): boolean =>
    asked.method === method && is(asked);

describe('a push to a registry that misbehaves', () => {
  it.each<[string, Misbehaviour, RegExp]>([
    [
      'begins uploads nowhere',
      when(by('POST', isUpload), (answer) => ({ ...answer, headers: {} })),
      /POST .*Location is missing/,
    ],
    [
      'keeps nothing of what it took',
      when(
        (asked) => by('PATCH', isUpload)(asked) || by('GET', isUpload)(asked),
        (answer) => ({ ...answer, headers: { ...answer.headers, range: '0-0' } }),
      ),
      /the registry holds 0 of|stands at \d+ bytes, not at 0/,
    ],
    [
      'stores blobs as another digest',
      when(by('PUT', isUpload), (answer) => ({
        ...answer,
        headers: { ...answer.headers, 'docker-content-digest': `sha256:${'0'.repeat(64)}` },
      })),
      /stored sha256:.* as another digest/,
    ],
    ['answers 200 to everything, with a page', () => html(), /the registry has 35 bytes of it/],
    [
      'answers 200 to the end of an upload, with a page',
      (asked) => (by('PUT', isUpload)(asked) ? html() : undefined),
      /PUT .* answered 200/,
    ],
    [
      'loses the manifest and says 201',
      (asked) =>
        by('PUT', isManifest)(asked)
          ? { status: 201, headers: {}, body: Buffer.alloc(0) }
          : undefined,
      /Cannot confirm team\/bad-\d+:1|not there|nothing there/,
    ],
    [
      'has no room left',
      (asked) =>
        by('PATCH', isUpload)(asked) || by('PUT', isUpload)(asked)
          ? saying(507, 'UNKNOWN', 'no space left on device')
          : undefined,
      /no space left on device/,
    ],
    [
      'fails for good',
      (asked) => (isUpload(asked) ? saying(500, 'UNKNOWN', 'the storage is gone') : undefined),
      /the storage is gone/,
    ],
    [
      'hangs up before it answers',
      (asked) =>
        isUpload(asked)
          ? { status: 202, headers: {}, body: Buffer.alloc(1), breaksAfter: 0 }
          : undefined,
      /Cannot reach registry|POST/,
    ],
  ])('that %s is one clear error, and no tag', async (_, misbehave, message) => {
    const { error, tag } = await pushAt(misbehave);
    expect(error).toBeInstanceOf(ReposureError);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    expect(tag).toBeUndefined();
  });

  it.each<[string, Misbehaviour]>([
    [
      'tells no size of its blobs',
      async (asked, forward) => {
        if (!by('HEAD', isBlob)(asked)) return undefined;
        const { 'content-length': _, ...headers } = (await forward()).headers;
        return { ...(await forward()), headers };
      },
    ],
    [
      'refuses one digest after it broke off',
      once((asked) => (by('PUT', isUpload)(asked) ? saying(503, 'UNKNOWN', 'not now') : undefined)),
    ],
    [
      'forgets an upload',
      once((asked) =>
        by('PATCH', isUpload)(asked)
          ? saying(404, 'BLOB_UPLOAD_UNKNOWN', 'what upload')
          : undefined,
      ),
    ],
  ])('that %s ends well', async (_, misbehave) => {
    const { digest: pushed, error, tag } = await pushAt(misbehave);
    expect({ pushed, error, tag }).toEqual({ pushed: digest, error: undefined, tag: digest });
  });

  it('that wants to be left alone until a date is left alone until then', async () => {
    const date = Math.ceil(Date.now() / 1000) * 1000 + 1000;
    const asked: number[] = [];
    const { digest: pushed } = await pushAt((what) => {
      if (!by('POST', isUpload)(what)) return undefined;
      asked.push(Date.now());
      if (Date.now() >= date) return undefined;
      const busy = saying(429, 'TOOMANYREQUESTS', 'later');
      return { ...busy, headers: { 'retry-after': new Date(date).toUTCString() } };
    });
    expect(pushed).toBe(digest);
    expect(asked.filter((time) => time < date)).toHaveLength(2); // once for each of two blobs
  });
});

describe('a pull from a registry that misbehaves', () => {
  it.each<[string, Misbehaviour, RegExp]>([
    [
      'sends another content',
      when(isBlob, (answer) => ({ ...answer, body: Buffer.from(answer.body).fill(0, 0, 9) })),
      /content of another digest/,
    ],
    [
      'sends too little and announces it',
      when(isBlob, (answer) => {
        const body = answer.body.subarray(1);
        const headers = { ...answer.headers, 'content-length': String(body.byteLength) };
        return { ...answer, headers, body };
      }),
      /bytes in the registry; want/,
    ],
    [
      'sends too little, unannounced',
      when(isBlob, (answer) => {
        const { 'content-length': _, ...headers } = answer.headers;
        return { ...answer, headers, body: answer.body.subarray(1) };
      }),
      /ended after|another digest/,
    ],
    [
      'sends too much, unannounced',
      when(isBlob, (answer) => {
        const { 'content-length': _, ...headers } = answer.headers;
        return { ...answer, headers, body: Buffer.concat([answer.body, Buffer.from('!')]) };
      }),
      /has more than/,
    ],
    [
      'announces more than it sends',
      when(isBlob, (answer) => ({
        ...answer,
        headers: { ...answer.headers, 'content-length': String(answer.body.byteLength + 1) },
        breaksAfter: answer.body.byteLength,
      })),
      /bytes in the registry; want/,
    ],
    [
      'always breaks off at the same byte',
      when(isBlob, (answer) => (isLayer(answer) ? { ...answer, breaksAfter: 0 } : answer)),
      /Cannot reach registry .* (connection broke off|closed the connection)/,
    ],
    [
      'leads in circles',
      (asked) =>
        isBlob(asked)
          ? { status: 307, headers: { location: `${asked.url}?again` }, body: Buffer.alloc(0) }
          : undefined,
      /more than 5/,
    ],
    [
      'answers with a page instead of a manifest',
      (asked) => (isManifest(asked) ? html() : undefined),
      /manifest|JSON|read/,
    ],
    [
      'answers with a page instead of blobs',
      (asked) => (isBlob(asked) ? html() : undefined),
      /has 35 bytes in the registry/,
    ],
  ])('that %s is one clear error, and no image', async (_, misbehave, message) => {
    const { error, isThere } = await pullAt(misbehave);
    expect(error).toBeInstanceOf(ReposureError);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    expect(isThere).toBe(false);
  });

  it('that breaks off once in every layer ends well, and nothing comes twice', async () => {
    const ranges: string[] = [];
    const misbehave: Misbehaviour = async (asked, forward) => {
      if (!isBlob(asked)) return undefined;
      const { range } = asked.headers;
      if (range) ranges.push(range);
      const answer = await forward();
      return !range && isLayer(answer) ? { ...answer, breaksAfter: 65_536 } : undefined;
    };
    const { digest: pulled, isThere } = await pullAt(misbehave);
    expect({ pulled, isThere }).toEqual({ pulled: digest, isThere: true });
    expect(ranges).toEqual(['bytes=65536-']);
  });
});
