import { UnsupportedError } from '../errors.ts';
import { lossOf, refusalOf } from './answer-error.ts';
import type { Purpose } from './answer-error.ts';
import type { ExecOptions, ExecSession } from './client.ts';
import type { Connection } from './connection.ts';
import { ExecStream } from './exec-stream.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { describeObject, pathOf } from './paths.ts';
import { resourceTypes } from './resource-types.ts';
import { HandshakeError, openWebSocket } from './websocket-handshake.ts';
import { WebSocket } from './websocket.ts';

/** v4 for API servers before 1.30: it cannot end stdin. */
const defaultProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;
const handshakeTimeoutMs = 30_000;

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
  const { signal } = options;
  const where = describeObject(resourceTypes.Pod, options.pod, options.namespace);
  const socket = await connect(connection, options, purposeOf(options, where));
  const stream = new ExecStream(socket, where);
  // Not everybody who ends it listens to it.
  stream.on('error', () => {});
  const abort = (reason?: Error): void => {
    stream.destroy(reason);
  };
  const onAbort = (): void => abort(asError(signal?.reason));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  stream.once('close', () => signal?.removeEventListener('abort', onAbort));
  const { exit } = stream;
  return { stream, protocol: socket.protocol, exit, stderr: () => stream.stderr(), abort };
}

async function connect(
  connection: Connection,
  options: ExecOptions,
  purpose: Purpose,
): Promise<WebSocket> {
  const { signal, protocols = defaultProtocols } = options;
  const dressing = await connection.dressing(signal);
  signal?.throwIfAborted();
  const url = `${connection.access.server}${execPath(options)}`;
  const handshake = { ...dressing, protocols, timeoutMs: handshakeTimeoutMs, signal };
  const answer = await openWebSocket(url, handshake).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw failureOf(error, connection, purpose);
  });
  if (answer instanceof WebSocket) return answer;
  const refusal = await refusalOf(answer, purpose, connection.access);
  signal?.throwIfAborted();
  throw refusal;
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
      `somebody who may can grant them with the Role that "reposure registry role ${registry} --exec" prints, ` +
      `or a narrower right that does without exec, with "--push" or "--pull"`,
  };
}

function failureOf(error: unknown, { access }: Connection, purpose: Purpose): Error {
  if (!(error instanceof HandshakeError)) return lossOf(error, purpose, access);
  return new UnsupportedError(
    `Cannot ${purpose.action} at ${access.server}: it agreed to no exec protocol over WebSocket; ` +
      `want ${defaultProtocols.join(' or ')}, and no proxy in between that drops them`,
    { cause: error },
  );
}

function asError(reason: unknown): Error | undefined {
  return reason instanceof Error ? reason : undefined;
}
