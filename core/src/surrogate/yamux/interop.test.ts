import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { yamux } from '@chainsafe/libp2p-yamux';
import { afterEach, describe, expect, it } from 'vitest';

import { collect } from '../../bytes.ts';
import { YamuxSession } from './session.ts';
import { bytesOf, connection } from './test/support.ts';

type Muxer = ReturnType<ReturnType<ReturnType<typeof yamux>>['createStreamMuxer']>;
type Wire = Parameters<ReturnType<ReturnType<typeof yamux>>['createStreamMuxer']>[0];
type TheirStream = Awaited<ReturnType<Muxer['createStream']>>;

const MiB = 1024 * 1024;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** What libp2p wants of a connection, over a stream of Node. */
class Libp2pWire extends EventTarget {
  readonly direction: 'inbound' | 'outbound';
  readonly log = Object.assign(() => {}, {
    error: () => {},
    trace: () => {},
    newScope: () => this.log,
  });
  readonly #stream: Duplex;

  constructor(stream: Duplex, direction: 'inbound' | 'outbound') {
    super();
    this.direction = direction;
    this.#stream = stream;
    stream.on('data', (data: Buffer) => this.dispatchEvent(new MessageEvent('message', { data })));
    stream.on('drain', () => this.dispatchEvent(new Event('drain')));
    stream.once('close', () => this.dispatchEvent(new Event('close')));
  }

  send(data: { subarray: () => Uint8Array }): boolean {
    return this.#stream.write(data.subarray());
  }

  abort(): void {
    this.#stream.destroy();
  }
}

/** An end of theirs. */
function theirs(stream: Duplex, role: 'client' | 'server'): Muxer {
  const wire: unknown = new Libp2pWire(stream, role === 'client' ? 'outbound' : 'inbound');
  return yamux({ enableKeepAlive: false })().createStreamMuxer(wire as Wire);
}

async function send(stream: TheirStream, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.byteLength; at += 100_000) {
    if (!stream.send(bytes.subarray(at, at + 100_000))) await stream.onDrain();
  }
  await stream.close();
}

async function receive(stream: TheirStream): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part.subarray());
  return Buffer.concat(parts);
}

const sizes = [0, 1, 200_000, 300_000, 3 * MiB, 6 * MiB];

describe('the yamux of @chainsafe/libp2p-yamux', () => {
  it('opens streams here, and gets every byte back, also after its own end of the stream', async () => {
    const [near, far] = connection();
    const session = new YamuxSession(near, {
      role: 'server',
      onStream: (stream) => void pipeline(stream, stream).catch(() => {}),
    });
    cleanups.push(() => session.destroy());
    const muxer = theirs(far, 'client');
    const echoed = sizes.map(async (size) => {
      const stream = await muxer.createStream();
      const received = receive(stream);
      await send(stream, bytesOf(size, size));
      return (await received).equals(bytesOf(size, size));
    });
    expect(await Promise.all(echoed)).toEqual(sizes.map(() => true));
    await session.idle();
    expect(muxer.streams).toEqual([]);
  });

  it('takes streams from here, and sends every byte back', async () => {
    const [near, far] = connection();
    const session = new YamuxSession(near, { role: 'client' });
    cleanups.push(() => session.destroy());
    const muxer = theirs(far, 'server');
    muxer.addEventListener('stream', ({ detail: stream }) => {
      void receive(stream).then((bytes) => send(stream, bytes));
    });
    const echoed = sizes.map(async (size) => {
      const stream = await session.openStream();
      stream.end(bytesOf(size, size));
      return (await collect(stream, 'the echo', 8 * MiB)).equals(bytesOf(size, size));
    });
    expect(await Promise.all(echoed)).toEqual(sizes.map(() => true));
    await session.idle();
    expect(muxer.streams).toEqual([]);
  });

  it('resets a stream, and has one reset, in both roles', async () => {
    const [near, far] = connection();
    const session = new YamuxSession(near, { role: 'client' });
    cleanups.push(() => session.destroy());
    const muxer = theirs(far, 'server');
    const taken = async (): Promise<TheirStream> => {
      const accepted = once(muxer, 'stream');
      const [{ detail }] = (await accepted) as [{ detail: TheirStream }];
      return detail;
    };
    const accepted = taken();
    const ours = await session.openStream();
    const other = await accepted;
    const closed = once(other, 'close');
    ours.destroy();
    await closed;
    expect(other.status).toBe('reset');
    const acceptedNext = taken();
    const next = await session.openStream();
    const broken = once(next, 'error');
    (await acceptedNext).abort(new Error('enough'));
    expect(await broken).toMatchObject([{ code: 'UNREACHABLE' }]);
    expect(session.streamCount).toBe(0);
  });

  it('answers our pings and has its own answered, and understands a goodbye', async () => {
    const [near, far] = connection();
    const said = Promise.withResolvers<void>();
    const session = new YamuxSession(near, { role: 'client', onGoAway: said.resolve });
    cleanups.push(() => session.destroy());
    const pongs: Buffer[] = [];
    near.on('data', (chunk: Buffer) => void pongs.push(chunk));
    const muxer = theirs(far, 'server');
    const ping =
      'ping' in muxer && typeof muxer.ping === 'function' ? muxer.ping.bind(muxer) : undefined;
    expect(await ping?.()).toBeGreaterThanOrEqual(0);
    await expect
      .poll(() => Buffer.concat(pongs).includes('000200020000000000000001', 0, 'hex'))
      .toBe(true);
    await muxer.close();
    await said.promise;
    await session.goAway();
    expect(muxer.status).toBe('closed');
  });
});
