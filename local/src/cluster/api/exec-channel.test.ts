import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import type { NodeBackends } from './backends.ts';
import { startTestCluster } from './test/cluster.ts';
import type { TestCluster } from './test/cluster.ts';

let cluster: TestCluster | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

async function start(exec?: NodeBackends['exec']): Promise<TestCluster> {
  cluster = await startTestCluster(exec ? { exec } : {});
  cluster.store.create('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'x:1' }] },
  });
  return cluster;
}

function connect(at: TestCluster, protocols: string[], token = at.tokens.adminToken): WebSocket {
  const url = `${at.url.replace('https', 'wss')}/api/v1/namespaces/default/pods/p/exec`;
  return new WebSocket(`${url}?command=cat&stdin=true&stdout=true&stderr=true`, protocols, {
    ca: at.caPem,
    headers: { Authorization: `Bearer ${token}` },
  });
}

interface Received {
  readonly messages: Buffer[];
  readonly status: () => unknown;
  readonly stdout: () => Buffer;
}

function receive(socket: WebSocket): Received {
  const messages: Buffer[] = [];
  socket.on('message', (message: Buffer) => messages.push(message));
  const of = (channel: number): Buffer =>
    Buffer.concat(messages.filter(([first]) => first === channel).map((each) => each.subarray(1)));
  return { messages, stdout: () => of(1), status: () => JSON.parse(of(3).toString()) as unknown };
}

describe('exec', () => {
  it('carries every byte on v5, in messages that are small enough, and closes stdin', async () => {
    const socket = connect(await start(), ['v5.channel.k8s.io', 'v4.channel.k8s.io']);
    const received = receive(socket);
    await once(socket, 'open');
    expect(socket.protocol).toBe('v5.channel.k8s.io');
    const sent = Buffer.alloc(300_000, 'abcdefg');
    socket.send(Buffer.concat([Buffer.from([0]), sent]));
    socket.send(Buffer.from([255, 0]));
    await once(socket, 'close');
    expect(received.messages[0]).toEqual(Buffer.from([1]));
    expect(Math.max(...received.messages.map(({ length }) => length))).toBeLessThanOrEqual(32_769);
    expect(received.stdout().equals(sent)).toBe(true);
    expect(received.status()).toEqual({ metadata: {}, status: 'Success' });
  });

  it('says the exit code on v4', async () => {
    const socket = connect(await start(() => Promise.resolve({ exitCode: 7 })), [
      'v4.channel.k8s.io',
    ]);
    const received = receive(socket);
    await once(socket, 'close');
    expect(received.status()).toMatchObject({
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '7' }] },
    });
  });

  it('makes a client wait whose program does not read', async () => {
    const go = Promise.withResolvers<void>();
    const at = await start(async (_request, { stdin }) => {
      await go.promise;
      let size = 0;
      for await (const chunk of stdin) size += (chunk as Buffer).length;
      return { exitCode: size === 64 * 1024 * 1024 ? 0 : 1 };
    });
    const socket = connect(at, ['v5.channel.k8s.io']);
    const received = receive(socket);
    await once(socket, 'open');
    const chunk = Buffer.alloc(1024 * 1024 + 1);
    for (let index = 0; index < 64; index++) socket.send(chunk);
    socket.send(Buffer.from([255, 0]));
    await delay(300);
    // What neither side's system buffers is still here.
    expect(socket.bufferedAmount).toBeGreaterThan(32 * 1024 * 1024);
    go.resolve();
    await once(socket, 'close');
    expect(received.status()).toMatchObject({ status: 'Success' });
  });

  it('makes a program wait whose client does not read', async () => {
    let written = 0;
    const at = await start(async (_request, { stdout, signal }) => {
      const chunk = Buffer.alloc(1024 * 1024);
      while (written < 256 && !signal.aborted) {
        written++;
        if (!stdout.write(chunk))
          await Promise.race([once(stdout, 'drain'), once(signal, 'abort')]);
      }
      return { exitCode: 0 };
    });
    const socket = connect(at, ['v5.channel.k8s.io']);
    await once(socket, 'open');
    socket.pause();
    await delay(300);
    expect(written).toBeLessThan(64);
    socket.terminate();
  });

  it('ends the program’s input when the client is gone', async () => {
    const ended = Promise.withResolvers<boolean>();
    const at = await start(async (_request, { stdin, signal }) => {
      stdin.resume();
      await once(stdin, 'end');
      ended.resolve(signal.aborted);
      return { exitCode: 0 };
    });
    const socket = connect(at, ['v5.channel.k8s.io']);
    await once(socket, 'open');
    socket.terminate();
    expect(await ended.promise).toBe(true);
  });

  it.each([
    [['v1.channel.k8s.io'], undefined, 400],
    [['v5.channel.k8s.io'], 'nobody', 401],
  ])('refuses %j with the token %s: %d', async (protocols, token, status) => {
    const socket = connect(await start(), protocols, token);
    socket.on('error', () => {});
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number },
    ];
    expect(response.statusCode).toBe(status);
    socket.terminate();
  });
});
