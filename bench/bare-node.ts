import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { connect as connectTls, createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';

import { makeServerCertificate } from '@reposure/core';

import type { Command } from './measure.ts';

// What Node takes by itself for what a push does: one process hashes a file and sends it over TLS,
// another one passes it on over TCP, and neither does anything else. As a program, `pass-on HOST:PORT`
// (of a process with IPC) or `send HOST:PORT FILE…`.

const program = fileURLToPath(import.meta.url);
const blockBytes = 256 * 1024;
const caVariable = 'BARE_NODE_CA';

/** Where {@link sending} sends to, in a process of its own. */
export interface PassOn extends AsyncDisposable {
  readonly host: string;
  /** Of its certificate, PEM. */
  readonly ca: string;
  readonly pid: number;
}

/** The command that hashes files and sends them over TLS. */
export function sending({ host, ca }: PassOn, files: readonly string[]): Command {
  return { words: [process.execPath, program, 'send', host, ...files], env: { [caVariable]: ca } };
}

/** Passes on what comes over TLS. @param target `HOST:PORT` of a `startRawCopyServer`. */
export async function startPassOn(target: string): Promise<PassOn> {
  const child = fork(program, ['pass-on', target]);
  const [{ port, ca }] = (await once(child, 'message')) as [{ port: number; ca: string }];
  return {
    host: `127.0.0.1:${port}`,
    ca,
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function passOn(target: string): Promise<void> {
  const [host = '', port] = target.split(':');
  const names = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] };
  const { caPem: ca, certificatePem: cert, keyPem: key } = await makeServerCertificate(names);
  const server = createServer({ cert, key }, (socket) => {
    const onwards = connect({ host, port: Number(port), noDelay: true });
    for (const each of [socket, onwards]) each.on('error', () => {});
    socket.pipe(onwards).pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  process.on('disconnect', () => process.exit());
  process.send?.({ port: (server.address() as AddressInfo).port, ca });
}

async function send(target: string, path: string): Promise<void> {
  const [host = '', port] = target.split(':');
  const socket = connectTls({ host, port: Number(port), ca: process.env[caVariable] });
  await once(socket, 'secureConnect');
  socket.write(`push ${(await stat(path)).size}\n`);
  const hash = createHash('sha256');
  await using file = await open(path);
  // One is read into while the other one leaves.
  const blocks = [Buffer.allocUnsafe(blockBytes), Buffer.allocUnsafe(blockBytes)] as const;
  let leaving = Promise.resolve();
  for (let turn = 0; ; turn++) {
    const { bytesRead, buffer } = await file.read(blocks[turn % 2 ? 1 : 0], 0, blockBytes);
    if (bytesRead === 0) break;
    const part = buffer.subarray(0, bytesRead);
    hash.update(part);
    await leaving;
    leaving = new Promise((resolve, reject) => {
      socket.write(part, (error) => (error ? reject(error) : resolve()));
    });
  }
  await leaving;
  await once(socket, 'data');
  socket.destroy();
  process.stdout.write(`${hash.digest('hex')}\n`);
}

if (process.argv[1] === program) {
  const [verb = '', target = '', ...files] = process.argv.slice(2);
  if (verb === 'pass-on') await passOn(target);
  else for (const file of files) await send(target, file);
}
