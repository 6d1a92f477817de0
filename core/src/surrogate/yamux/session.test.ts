import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { afterEach, describe, expect, it } from 'vitest';

import { collect } from '../../bytes.ts';
import { FrameReader } from './frame-reader.ts';
import {
  encodeHeader,
  flags,
  goAwayCodes,
  initialWindowBytes,
  types,
  YamuxError,
} from './frame.ts';
import { maxGrantedBytes, maxWindowBytes } from './receive-window.ts';
import { maxStreams, YamuxSession } from './session.ts';
import type { YamuxOptions } from './session.ts';
import type { YamuxStream } from './stream.ts';
import { belowOf, bytesOf, connection, sessionAndWire } from './test/support.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Two sessions, and the streams that the server has accepted. */
function paired(onStream: (stream: YamuxStream) => void): {
  client: YamuxSession;
  server: YamuxSession;
  wire: readonly [Duplex, Duplex];
} {
  const wire = connection();
  const client = new YamuxSession(wire[0], { role: 'client' });
  const server = new YamuxSession(wire[1], { role: 'server', onStream });
  cleanups.push(() => client.destroy());
  return { client, server, wire };
}

/** A session whose other end is the test. */
function alone(options: Partial<YamuxOptions> = {}): ReturnType<typeof sessionAndWire> {
  const opened = sessionAndWire({ role: 'server', ...options });
  cleanups.push(() => opened.session.destroy());
  return opened;
}

const echo = (stream: YamuxStream): void => void pipeline(stream, stream).catch(() => {});
const all = (stream: Duplex): Promise<Buffer> => collect(stream, 'the stream', 64 * MiB);
const frame = (type: number, flagBits: number, streamId: number, length: number): Buffer =>
  encodeHeader({ type, flags: flagBits, streamId, length });

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that something still refers to. */
function memoryInUse(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The frames that were received, without their data, as `type/flags/stream/length`. */
function framesIn(bytes: Buffer): string[] {
  const seen: string[] = [];
  const reader = new FrameReader({
    onHeader: (header) => void seen.push(Object.values(header).join('/')),
    onData: () => {},
    onDataEnd: () => {},
  });
  reader.read(bytes);
  return seen;
}

/** Until nothing has moved for fifty turns of the event loop. */
async function settled(value: () => number): Promise<number> {
  for (let same = 0, last = -1; same < 50; same = value() === last ? same + 1 : 0, last = value()) {
    await turn();
  }
  return value();
}

describe('YamuxSession', () => {
  it('carries many streams at once, in both directions, to the byte', async () => {
    const { client, server } = paired(echo);
    const sizes = [0, 1, initialWindowBytes, initialWindowBytes + 1, 3 * MiB, 9 * MiB];
    const echoed = sizes.map(async (size) => {
      const stream = await client.openStream();
      stream.end(bytesOf(size, size));
      return (await all(stream)).equals(bytesOf(size, size));
    });
    expect(await Promise.all(echoed)).toEqual(sizes.map(() => true));
    await Promise.all([client.idle(), server.idle()]);
    expect([client.streamCount, server.streamCount]).toEqual([0, 0]);
  });

  it('ends one direction and leaves the other open', async () => {
    const answer = async (stream: YamuxStream): Promise<void> => {
      const question = await all(stream);
      stream.end(`you said ${question.toString()}`);
    };
    const { client } = paired((stream) => void answer(stream));
    const stream = await client.openStream();
    stream.end('hello');
    expect((await all(stream)).toString()).toBe('you said hello');
  });

  it('never lets a stream that was broken off look like one that ended', async () => {
    const accepted = Promise.withResolvers<YamuxStream>();
    const { client } = paired(accepted.resolve);
    const stream = await client.openStream();
    stream.write('half');
    const other = await accepted.promise;
    const read = all(other);
    stream.destroy();
    await expect(read).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(client.streamCount).toBe(0);
  });

  it('breaks every stream off when the connection ends', async () => {
    const { client, wire } = paired(echo);
    const stream = await client.openStream();
    stream.write('half');
    await once(stream, 'data');
    wire[1].end();
    await expect(all(stream)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(client.openStream()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  it('makes a writer wait for a reader, and no other stream for either', async () => {
    const accepted: YamuxStream[] = [];
    const { client } = paired((stream) => {
      if (accepted.push(stream) > 1) echo(stream);
    });
    const slow = await client.openStream();
    let written = 0;
    const size = 32 * MiB;
    const source = async function* source(): AsyncGenerator<Buffer, void> {
      for (; written < size; written += 64 * KiB) yield bytesOf(64 * KiB, written);
    };
    const sent = pipeline(source(), slow);
    // Its window, and what both ends hold besides.
    expect(await settled(() => written)).toBeLessThan(4 * MiB);
    const other = await client.openStream();
    other.end('passes');
    expect((await all(other)).toString()).toBe('passes');
    const [reader] = accepted;
    let at = 0;
    for await (const chunk of reader ?? []) at += (chunk as Buffer).byteLength;
    reader?.end();
    await sent;
    expect(at).toBe(size);
  });

  it('does not stand still where both ends send before they read', async () => {
    const size = 8 * MiB;
    const { client } = paired((stream) => {
      stream.end(bytesOf(size, 1), () => void stream.resume());
    });
    const streams = await Promise.all(Array.from({ length: 4 }, () => client.openStream()));
    const received = await Promise.all(
      streams.map(async (stream) => {
        stream.end(bytesOf(size, 2));
        await new Promise((resolve) => setImmediate(resolve));
        return (await all(stream)).equals(bytesOf(size, 1));
      }),
    );
    expect(received).toEqual([true, true, true, true]);
  });

  it('lets a slow stream have its turn between those that always have something', async () => {
    const { client, wire } = paired((stream) => void stream.resume());
    const received: Buffer[] = [];
    wire[1].on('data', (chunk: Buffer) => void received.push(Buffer.from(chunk)));
    /** The streams whose data came, in that order. */
    const order = (): number[] =>
      framesIn(Buffer.concat(received))
        .map((text) => text.split('/').map(Number))
        .flatMap(([type, , id = 0]) => (type === types.data ? [id] : []));
    const [greedy, modest] = [await client.openStream(), await client.openStream()];
    greedy.write('opens the window');
    await settled(() => order().length);
    greedy.write(bytesOf(8 * MiB, 1));
    modest.write('my turn');
    await expect.poll(() => order().includes(modest.id)).toBe(true);
    expect(order().indexOf(modest.id)).toBeLessThan(6);
  });

  it('waits with the 129th stream for one to be over', async () => {
    const { client, server } = paired(() => {});
    const streams = await Promise.all(
      Array.from({ length: maxStreams }, () => client.openStream()),
    );
    const late = client.openStream();
    const stop = new AbortController();
    const never = client.openStream(stop.signal);
    stop.abort(new RangeError('enough'));
    await expect(never).rejects.toThrow(RangeError);
    await settled(() => server.streamCount);
    expect(client.streamCount).toBe(maxStreams);
    streams[0]?.destroy();
    expect((await late).id).toBe(2 * maxStreams + 1);
    expect(await settled(() => server.streamCount)).toBe(maxStreams);
  });

  it('grows no window beyond 8 MiB, and all of them not beyond 16 MiB', async () => {
    const { session, wire, received } = alone({ onStream: () => {} });
    const ids = Array.from({ length: maxStreams }, (_, at) => 2 * at + 1);
    for (const id of ids) wire.write(frame(types.windowUpdate, flags.syn, id, 0));
    await settled(() => session.streamCount);
    const granted = framesIn(received())
      .map((text) => text.split('/').map(Number))
      .filter(([type]) => type === types.windowUpdate)
      .map(([, , , length = 0]) => length);
    expect(granted).toHaveLength(maxStreams);
    expect(Math.max(...granted)).toBeLessThanOrEqual(maxWindowBytes);
    expect(granted.reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual(maxGrantedBytes);
  });
});

describe('YamuxSession, with an end that does not keep to the protocol', () => {
  const syn = frame(types.windowUpdate, flags.syn, 1, 0);

  it.each([
    ['more than was granted', [syn, frame(types.data, 0, 1, 0xffff_ffff)]],
    ['a stream of its number twice', [syn, syn]],
    ['a stream with a number of the other end', [frame(types.windowUpdate, flags.syn, 2, 0)]],
    ['a stream that was never opened', [frame(types.data, 0, 2, 0)]],
    ['a window beyond 32 bits', [syn, frame(types.windowUpdate, 0, 1, 0xffff_ffff)]],
    ['data behind the end', [syn, frame(types.data, flags.fin, 1, 0), frame(types.data, 0, 1, 1)]],
    ['something else', [Buffer.from('HTTP/1.1 400 Bad Request\r\n')]],
  ])('ends at once over %s', async (_, bytes) => {
    const ended = Promise.withResolvers<Error | undefined>();
    const { wire, received } = alone({ onStream: () => {}, onClose: ended.resolve });
    wire.write(Buffer.concat(bytes));
    expect(await ended.promise).toBeInstanceOf(YamuxError);
    await turn();
    const goodbye = `${types.goAway}/0/0/${goAwayCodes.protocolError}`;
    expect(framesIn(received())).toContain(goodbye);
  });

  it('refuses streams beyond 128, and those that nobody takes', async () => {
    const { session, wire, received } = alone({ onStream: () => {} });
    for (let id = 1; id <= 2 * maxStreams + 1; id += 2) {
      wire.write(frame(types.windowUpdate, flags.syn, id, 0));
    }
    await settled(() => received().byteLength);
    const reset = (id: number): string => `${types.windowUpdate}/${flags.rst}/${id}/0`;
    expect(session.streamCount).toBe(maxStreams);
    expect(framesIn(received())).toContain(reset(2 * maxStreams + 1));
    const deaf = alone();
    deaf.wire.write(syn);
    await settled(() => deaf.received().byteLength);
    expect(framesIn(deaf.received())).toContain(reset(1));
  });

  it('drops what comes for a stream that is over', async () => {
    const taken = Promise.withResolvers<YamuxStream>();
    const { session, wire } = alone({ onStream: taken.resolve });
    wire.write(syn);
    (await taken.promise).destroy();
    wire.write(Buffer.concat([frame(types.data, 0, 1, 5), Buffer.from('late!'), syn]));
    expect(await settled(() => session.streamCount)).toBe(1);
  });

  it('does not answer a reset with another', async () => {
    const { session, wire, received } = alone({ onStream: () => {} });
    wire.write(Buffer.concat([syn, frame(types.windowUpdate, flags.rst, 1, 0)]));
    await settled(() => received().byteLength);
    expect(session.streamCount).toBe(0);
    expect(framesIn(received()).filter((text) => text.includes(`/${flags.rst}/`))).toEqual([]);
  });

  it('answers pings ahead of data, and gives up on an end that asks and does not read', async () => {
    const { wire, received } = alone();
    wire.write(frame(types.ping, flags.syn, 0, 77));
    await settled(() => received().byteLength);
    expect(framesIn(received())).toContain(`${types.ping}/${flags.ack}/0/77`);
    const [near, deaf] = connection();
    const ended = Promise.withResolvers<Error | undefined>();
    const session = new YamuxSession(near, { role: 'server', onClose: ended.resolve });
    cleanups.push(() => session.destroy());
    const pings = Buffer.concat(Array(4000).fill(frame(types.ping, flags.syn, 0, 1)) as Buffer[]);
    for (let at = 0; at < 100 && !deaf.destroyed; at++) deaf.write(pings);
    expect(String(await ended.promise)).toMatch(/the other end does not read/);
  });

  it('holds small parts without their frames', async () => {
    const taken = Promise.withResolvers<YamuxStream>();
    const { wire } = alone({ onStream: taken.resolve });
    wire.write(syn);
    const stream = await taken.promise;
    const one = Buffer.concat([frame(types.data, 0, 1, 1), Buffer.of(7)]);
    const before = memoryInUse();
    wire.write(Buffer.concat(Array(initialWindowBytes).fill(one) as Buffer[]));
    await settled(() => 0);
    const after = memoryInUse();
    expect(after - before).toBeLessThan(16 * MiB); // a Buffer for each would be 30 MiB of its own, and more
    const [held] = (await once(stream, 'data')) as [Buffer];
    expect(held.every((byte) => byte === 7)).toBe(true);
  });

  it('comes through whatever bytes there are, ended or alive', async () => {
    const seed = Date.now() >>> 0;
    const below = belowOf(seed);
    for (let round = 0; round < 300; round++) {
      const { session, wire } = alone({ onStream: echo });
      for (let count = 0; count < 30 && !wire.destroyed; count++) {
        const type = below(4);
        const length = below(8) === 0 ? below(0xffff_ffff) : below(600);
        const streamId = type < 2 ? 1 + 2 * below(4) : 0;
        const header = frame(type, below(4) === 0 ? below(16) : below(2), streamId, length);
        wire.write(header);
        if (type === types.data && below(4) > 0) wire.write(Buffer.alloc(Math.min(length, 600)));
      }
      await turn();
      const open = session.streamCount;
      session.destroy();
      expect([seed, round, open <= 4, session.streamCount]).toEqual([seed, round, true, 0]);
    }
  });
});
