import type { IncomingMessage } from 'node:http';

import { WebSocket } from 'ws';
import type { ClientOptions as SocketOptions } from 'ws';

import { UnsupportedError } from '../errors.ts';
import { lossOf, refusalOf } from './answer-error.ts';
import type { Purpose } from './answer-error.ts';
import type { ExecOptions, ExecSession } from './client.ts';
import type { Connection } from './connection.ts';
import { ExecStream } from './exec-stream.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { describeObject, pathOf } from './paths.ts';
import { resourceTypes } from './resource-types.ts';

/** v4 for API servers before 1.30: it cannot end stdin. */
const defaultProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;
const handshakeTimeoutMs = 30_000;
/** The server's largest message has 32,769 bytes. */
const maxMessageBytes = 1 << 20;

/**
 * Starts a program in a container.
 *
 * @throws {KubernetesError} if the API refuses.
 * @throws {UnreachableError} if it cannot be reached.
 * @throws {UnsupportedError} if it speaks none of the protocols.
 * @see https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
 */
export async function startExec(
  connection: Connection,
  options: ExecOptions,
): Promise<ExecSession> {
  try {
    return await openExec(connection, options);
  } catch (error) {
    const isLoggedOut = error instanceof KubernetesError && error.status === 401;
    if (isLoggedOut && connection.renew()) return openExec(connection, options);
    throw error;
  }
}

async function openExec(connection: Connection, options: ExecOptions): Promise<ExecSession> {
  const { signal, protocols = defaultProtocols } = options;
  const where = describeObject(resourceTypes.Pod, options.pod, options.namespace);
  const socketOptions = await socketOptionsOf(connection, signal);
  signal?.throwIfAborted();
  const url = `${connection.access.server}${execPath(options)}`;
  const socket = new WebSocket(url.replace(/^http/, 'ws'), [...protocols], socketOptions);
  const stream = new ExecStream(socket, where);
  // Until the session is there, its failure is told by the promise and not by the stream.
  stream.on('error', () => {});
  const abort = (reason?: Error): void => {
    stream.destroy(reason);
  };
  const onAbort = (): void => abort(asError(signal?.reason));
  signal?.addEventListener('abort', onAbort, { once: true });
  stream.once('close', () => signal?.removeEventListener('abort', onAbort));
  try {
    await opened(socket, connection, purposeOf(options, where));
  } catch (error) {
    stream.destroy();
    signal?.throwIfAborted();
    throw error;
  }
  const { exit } = stream;
  return { stream, protocol: socket.protocol, exit, stderr: () => stream.stderr(), abort };
}

async function socketOptionsOf(
  connection: Connection,
  signal?: AbortSignal,
): Promise<SocketOptions> {
  const { agent, headers } = await connection.dressing(signal);
  const isSecure = connection.access.server.startsWith('https:');
  return {
    agent,
    // Its types know of single values only; Node takes the array of Impersonate-Group as it is.
    headers: headers as Record<string, string>,
    perMessageDeflate: false,
    handshakeTimeout: handshakeTimeoutMs,
    maxPayload: maxMessageBytes,
    // A mask keeps scripts in browsers from tricking caches in between; inside TLS there are none,
    // and masking is most of what sending costs. Zeros are a valid mask, and ws skips them.
    ...(isSecure && {
      generateMask: (mask: Buffer): void => {
        mask.fill(0);
      },
    }),
  };
}

function execPath({ namespace, pod, container, command }: ExecOptions): string {
  const query = { container, command, stdin: true, stdout: true, stderr: true };
  return pathOf(resourceTypes.Pod, { namespace, name: pod, subresource: 'exec', query });
}

function purposeOf({ pod }: ExecOptions, where: string): Purpose {
  const [, registry = 'NAME'] = /^reposure-surrogate-(.+)-0$/.exec(pod) ?? [];
  return {
    action: `exec in ${where}`,
    forbiddenStep:
      'want the verbs "create" and "get" on "pods/exec" of that Pod: ' +
      `somebody who may can grant them with the Role that "reposure registry role ${registry}" prints`,
  };
}

async function opened(socket: WebSocket, connection: Connection, purpose: Purpose): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', (error) => reject(failureOf(error, connection, purpose)));
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      refusalOf(response, purpose, connection.access).then(reject, reject);
    });
  });
}

function failureOf(error: Error, { access }: Connection, purpose: Purpose): Error {
  // The only sign that ws gives of it.
  if (!error.message.includes('subprotocol')) return lossOf(error, purpose, access);
  return new UnsupportedError(
    `Cannot ${purpose.action} at ${access.server}: it agreed to no exec protocol over WebSocket; ` +
      `want ${defaultProtocols.join(' or ')}, and no proxy in between that drops them`,
    { cause: error },
  );
}

function asError(reason: unknown): Error | undefined {
  return reason instanceof Error ? reason : undefined;
}
