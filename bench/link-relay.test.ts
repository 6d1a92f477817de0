import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { pipeline } from 'node:stream/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { startLinkRelay } from './link-relay.ts';
import type { LinkRelay, LinkShape } from './link-relay.ts';

const wide = { delayMs: 0, bytesPerSecond: Infinity };
const stack: { close: () => unknown }[] = [];

afterEach(async () => {
  for (const each of stack.splice(0).toReversed()) await each.close();
});

/** A link to a server that sends everything back. */
async function linkToEcho(shape: LinkShape): Promise<LinkRelay> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  stack.push(server);
  const relay = await startLinkRelay(`127.0.0.1:${(server.address() as AddressInfo).port}`, shape);
  stack.push(relay);
  return relay;
}

/** Sends bytes and their end. @returns what comes back, and how long it took. */
async function echo(relay: LinkRelay, bytes: Buffer): Promise<{ hash: string; tookMs: number }> {
  const startedMs = performance.now();
  const socket = connect(Number(relay.host.split(':')[1]), '127.0.0.1');
  const hash = createHash('sha256');
  const [hex] = await Promise.all([
    pipeline(socket, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) hash.update(chunk);
      return hash.digest('hex');
    }),
    new Promise<void>((resolve) => socket.end(bytes, resolve)),
  ]);
  return { hash: hex, tookMs: performance.now() - startedMs };
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('a link', () => {
  it('carries every byte of several connections, in order, and counts them', async () => {
    const relay = await linkToEcho(wide);
    const contents = [3_000_001, 1, 5_000_000].map((size) => randomBytes(size));
    const echoes = await Promise.all(contents.map((bytes) => echo(relay, bytes)));
    expect(echoes.map(({ hash }) => hash)).toEqual(contents.map(sha256));
    expect(relay.counts()).toEqual({ upBytes: 8_000_002, downBytes: 8_000_002, cuts: 0 });
  });

  // Never faster than the link that it stands for; how much slower is the machine's affair.
  it('holds bytes back for the delay: a handshake, then one there and one back', async () => {
    const relay = await linkToEcho({ delayMs: 30, bytesPerSecond: Infinity });
    const { tookMs } = await echo(relay, Buffer.from('x'));
    expect(tookMs).toBeGreaterThanOrEqual(4 * 30 - 5);
  });

  it('lets all connections together have no more than its rate', async () => {
    const relay = await linkToEcho({ delayMs: 1, bytesPerSecond: 4_000_000 });
    const bytes = randomBytes(500_000);
    const [one, other] = await Promise.all([echo(relay, bytes), echo(relay, bytes)]);
    expect(Math.max(one.tookMs, other.tookMs)).toBeGreaterThanOrEqual(245);
  });

  it('has many chunks under way at once: the delay does not bound the rate', async () => {
    const relay = await linkToEcho({ delayMs: 100, bytesPerSecond: 100_000_000 });
    const bytes = randomBytes(5_000_000);
    const { hash, tookMs } = await echo(relay, bytes);
    expect(hash).toBe(sha256(bytes));
    // A chunk of 64 KiB at a time would take 77 × 100 ms there alone.
    expect(tookMs).toBeLessThan(7000);
  });

  it('holds no more for a reader that does not read than is under way on the link', async () => {
    const relay = await linkToEcho(wide);
    const socket = connect(Number(relay.host.split(':')[1]), '127.0.0.1').pause();
    stack.push({ close: () => socket.destroy() });
    for (let sent = 0; sent < 64; sent++) socket.write(Buffer.alloc(1 << 20));
    let before = -1;
    await expect
      .poll(
        () => {
          const { upBytes } = relay.counts();
          const isStill = upBytes > 0 && upBytes === before;
          before = upBytes;
          return isStill;
        },
        { interval: 300 },
      )
      .toBe(true);
    expect(before).toBeLessThan(48 << 20); // sockets of the kernel hold some of it
  });

  it('cuts its connections at each mark, once', async () => {
    const relay = await linkToEcho(wide);
    relay.cutAt([1000, 3000]);
    await expect(echo(relay, randomBytes(2000))).rejects.toThrow(/ECONNRESET|EPIPE/);
    await expect(echo(relay, randomBytes(2000))).rejects.toThrow(/ECONNRESET|EPIPE/);
    await echo(relay, randomBytes(2000));
    expect(relay.counts()).toMatchObject({ upBytes: 6000, cuts: 2 });
  });
});
