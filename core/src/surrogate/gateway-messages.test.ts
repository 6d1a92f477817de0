import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { bodyOf } from './gateway-messages.ts';
import { startGateway } from './test/support.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const bytes = randomBytes(3_000_000);
const pieceBytes = 16 * 1024;

async function* inPieces(content: Buffer): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < content.byteLength; at += pieceBytes) {
    yield content.subarray(at, at + pieceBytes);
  }
}

/** Where a PATCH leads to what a test does with it. */
async function serving(take: (request: IncomingMessage) => Promise<void>): Promise<string> {
  const server = await startGateway((request, response) => {
    void take(request).then(() => response.end());
  });
  cleanups.push(server.close);
  return `http://${server.host}/`;
}

describe('bodyOf()', () => {
  it('gathers small pieces for a slow reader, which may take its time with each chunk', async () => {
    const hash = createHash('sha256');
    let chunks = 0;
    const url = await serving(async (request) => {
      for await (const chunk of bodyOf(request)) {
        chunks++;
        await setImmediate();
        hash.update(chunk);
      }
    });
    const headers = { 'content-length': bytes.byteLength };
    const asked = httpRequest(url, { method: 'PATCH', headers, agent: false });
    await pipeline(inPieces(bytes), asked);
    await once(asked, 'response');
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(chunks).toBeLessThan(bytes.byteLength / pieceBytes / 2);
  });

  it.each(['before it is read', 'while it is read'])('fails if it is cut %s', async (when) => {
    const outcome = Promise.withResolvers<unknown>();
    const url = await serving(async (request) => {
      request.on('error', () => {});
      if (when === 'before it is read') {
        await new Promise((resolve) => void request.once('close', resolve));
      }
      outcome.resolve(await Array.fromAsync(bodyOf(request)).catch((error: unknown) => error));
    });
    const asked = httpRequest(url, { method: 'PATCH', agent: false });
    asked.on('error', () => {});
    // Few enough for the server to read on, and see the end.
    asked.write(bytes.subarray(0, 1000), () => asked.destroy());
    expect(await outcome.promise).toBeInstanceOf(Error);
  });
});
