import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { buffer, text } from 'node:stream/consumers';

import { afterEach, describe, expect, it } from 'vitest';

import { AddressRange } from './addresses.ts';
import { TcpForwarder } from './tcp-forwarder.ts';
import type { Target } from './tcp-forwarder.ts';

const open: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function target(answer: (input: Buffer) => string): Promise<Target> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    void buffer(socket).then((input) => socket.end(answer(input)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => void server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

async function forwarder(targets: readonly Target[]): Promise<Target & { all: TcpForwarder }> {
  const range = await AddressRange.claim();
  open.push(() => range.close());
  const at = { host: range.take(), port: 8443 };
  const all = await TcpForwarder.listen(at, targets);
  open.push(() => all.destroy());
  return { ...at, all };
}

async function ask(at: Target, input: Uint8Array = Buffer.from('x')): Promise<string> {
  const socket = connect({ host: at.host, port: at.port, allowHalfOpen: true });
  socket.end(input);
  return text(socket);
}

describe('TcpForwarder', () => {
  it('takes turns between its targets', async () => {
    const targets = [await target(() => 'a'), await target(() => 'b')];
    const at = await forwarder(targets);
    const answers = [await ask(at), await ask(at), await ask(at)];
    expect(answers).toEqual(['a', 'b', 'a']);
  });

  it('hands on the end of one direction while the other goes on', async () => {
    const at = await forwarder([await target((input) => `${input.byteLength} bytes`)]);
    expect(await ask(at, Buffer.alloc(3_000_000))).toBe('3000000 bytes');
  });

  it('resets a connection when there is nobody behind it', async () => {
    const at = await forwarder([]);
    await expect(ask(at)).rejects.toThrow(/ECONNRESET/);
  });

  it('refuses connections once it is closed, and frees its port', async () => {
    const at = await forwarder([await target(() => 'a')]);
    await at.all.close();
    await expect(ask(at)).rejects.toThrow(/ECONNREFUSED/);
    const again = await TcpForwarder.listen({ host: at.host, port: at.port }, [
      await target(() => 'again'),
    ]);
    open.push(() => again.destroy());
    expect(await ask(at)).toBe('again');
  });
});

describe('AddressRange', () => {
  it('gives addresses that no other range gives, and reuses freed ones last', async () => {
    const ranges = await Promise.all([AddressRange.claim(), AddressRange.claim()]);
    open.push(() => Promise.all(ranges.map((range) => range.close())));
    const [first, second] = ranges;
    const addresses = ranges.flatMap((range) => [range.take(), range.take()]);
    expect(new Set(addresses).size).toBe(4);
    expect(addresses.every((address) => /^127\.\d+\.\d+\.\d+$/.test(address))).toBe(true);
    first.free(addresses[0] ?? '');
    expect([first.take(), second.take()]).not.toContain(addresses[0]);
  });
});
