import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

// What a link carries at best: bytes over one TCP connection, and nothing else. As a program,
// `serve` (of a process with IPC), `push HOST:PORT BYTES` or `pull HOST:PORT BYTES`.

const program = fileURLToPath(import.meta.url);
const block = Buffer.alloc(256 * 1024);

/** The command that copies so many bytes to or from the server at `HOST:PORT`. */
export function rawCopyWords(
  verb: 'push' | 'pull',
  host: string,
  bytes: number,
): readonly string[] {
  return [process.execPath, program, verb, host, String(bytes)];
}

/** What {@link rawCopyWords} talks to, in a process of its own. */
export async function startRawCopyServer(): Promise<AsyncDisposable & { readonly host: string }> {
  const child = fork(program, ['serve']);
  const [port] = (await once(child, 'message')) as [number];
  return {
    host: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function serve(): Promise<void> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    void answer(socket).catch(() => socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  process.on('disconnect', () => process.exit());
  process.send?.((server.address() as AddressInfo).port);
}

/** The first line says what is wanted. */
async function answer(socket: Socket): Promise<void> {
  const [head] = (await once(socket, 'data')) as [Buffer];
  const line = head.subarray(0, head.indexOf('\n'));
  const [verb, size] = line.toString().split(' ');
  if (verb === 'pull') {
    await send(socket, Number(size));
    socket.end();
  } else {
    await receive(socket, Number(size) - (head.byteLength - line.byteLength - 1));
    socket.end('there');
  }
}

async function send(socket: Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= block.byteLength) {
    const part = block.subarray(0, Math.min(left, block.byteLength));
    if (!socket.write(part)) await once(socket, 'drain');
  }
}

/** Ends when so many bytes are there. */
function receive(socket: Socket, bytes: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let left = bytes;
  const take = (chunk?: Buffer): void => {
    left -= chunk?.byteLength ?? 0;
    if (left <= 0) resolve();
  };
  socket.on('data', take);
  socket.once('close', () => reject(new Error(`The connection ended ${left} bytes early`)));
  take();
  return promise;
}

async function copy(verb: string, target: string, size: number): Promise<void> {
  const [host = '', port] = target.split(':');
  const socket = connect({ host, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  socket.write(`${verb} ${size}\n`);
  if (verb === 'push') await send(socket, size);
  await receive(socket, verb === 'push' ? 'there'.length : size);
  socket.destroy();
}

if (process.argv[1] === program) {
  const [verb = '', target = '', size] = process.argv.slice(2);
  await (verb === 'serve' ? serve() : copy(verb, target, Number(size)));
}
