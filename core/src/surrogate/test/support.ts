import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';

import * as z from 'zod';

import { UnreachableError } from '../../errors.ts';
import type { Transport } from '../../registry/transport.ts';
import { serveConnection } from '../serve-connection.ts';
import { StdioStream } from '../stdio-stream.ts';

const AddressOf = z.object({ port: z.number() });

/** A server on a port that the system chose. */
export interface TestServer {
  readonly host: string;
  readonly close: () => Promise<void>;
}

/** Serves HTTP on this machine; stands where a registry stands, with whatever behaviour a test needs. */
export async function startServer(listener: RequestListener): Promise<TestServer> {
  const server = createServer(listener);
  return await listening(server, () => server.closeAllConnections());
}

/** Serves a gateway as the surrogate does, but for TLS. */
export async function startGateway(handler: RequestListener): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    void serveConnection(socket, { handler, headTimeoutMs: 60_000 });
  });
  return await listening(server, () => sockets.forEach((socket) => socket.destroy()));
}

/** @param cut Ends the connections that there are. */
async function listening(server: Server, cut: () => void): Promise<TestServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = AddressOf.parse(server.address());
  return {
    host: `127.0.0.1:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}

/** The plainest transport there is: one HTTP request, no login, no redirect. */
export function plainTransport(host: string): Transport {
  return async ({ method, path, headers, body, signal }) => {
    const request = httpRequest(`http://${host}${path}`, {
      method,
      headers: headers ?? {},
      agent: false,
      ...(signal ? { signal } : {}),
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).once('error', reject);
    });
    if (body instanceof Uint8Array) request.end(body);
    else if (body)
      Readable.from(copied(body))
        .on('error', (e) => request.destroy(e))
        .pipe(request);
    else request.end();
    try {
      const response = await answered;
      request.on('error', () => {});
      return {
        status: response.statusCode ?? 0,
        headers: Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
        ),
        body: response,
        discard: async () => {
          response.resume();
          if (!response.closed) await once(response, 'close');
        },
      };
    } catch (error) {
      throw new UnreachableError(`Cannot reach ${host}`, { cause: error });
    }
  };
}

/** Reading ahead holds on to chunks, which are the source's again when the next one is asked for. */
async function* copied(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  for await (const chunk of body) yield Buffer.from(chunk);
}

/** A far side in a process of its own, reached through its stdin and stdout. */
export interface FarSide {
  readonly stream: Duplex;
  readonly process: ChildProcess;
  readonly stderr: () => string;
  /** The most memory that it ever had resident, as the kernel counts it. */
  readonly peakBytes: () => Promise<number>;
  readonly end: () => Promise<number | null>;
}

/** Starts a program with pipes, as a container runtime does. */
export function startFarSide(args: readonly string[]): FarSide {
  const child = spawn(process.execPath, [...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const stream = new StdioStream(child.stdout, child.stdin);
  stream.on('error', () => {});
  return {
    stream,
    process: child,
    stderr: () => said,
    peakBytes: async () => peakOf(await readFile(`/proc/${child.pid}/status`, 'utf8')),
    end: async () => {
      stream.destroy();
      child.stdin.destroy();
      child.kill();
      await exited;
      return child.exitCode;
    },
  };
}

function peakOf(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Bytes that no compressor and no mistake makes equal to others. */
export async function* patternBytes(
  size: number,
  chunkSize = 256 * 1024,
): AsyncGenerator<Buffer, void> {
  for (let at = 0, counter = 1; at < size; at += chunkSize, counter++) {
    const chunk = Buffer.alloc(Math.min(chunkSize, size - at), counter & 0xff);
    if (chunk.byteLength >= 4) chunk.writeUInt32LE(counter);
    yield chunk;
  }
}
