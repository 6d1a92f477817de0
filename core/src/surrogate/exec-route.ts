import { setTimeout as delay } from 'node:timers/promises';

import { UnsupportedError } from '../errors.ts';
import type { ExecExit, ExecSession, KubernetesClient } from '../kubernetes/client.ts';
import { KubernetesError } from '../kubernetes/kubernetes-error.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { names, surrogatePaths } from '../resource/registry.ts';
import type { Registry } from '../resource/registry.ts';
import { openSession } from './client-session.ts';
import type { SurrogateSession } from './client-session.ts';
import { SurrogateError } from './greeting.ts';
import { reconnecting } from './reconnecting.ts';
import type { Route } from './route.ts';
import { describeSurrogate, nextStepFor, runningPodOf } from './surrogate-pod.ts';

/** What runs in the surrogate's Pod for one session. */
export const surrogateCommand: readonly string[] = [
  'reposure-surrogate',
  'serve',
  `--directory=${surrogatePaths.directory}`,
];

/**
 * Offered one after the other: an API server that finds v5 anywhere in an offer takes it, and v5 is
 * translated on its way, which costs the cluster a fifth more. What v4 lacks is the end of stdin, which
 * a session does not need.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/streaming/pkg/httpstream/wsstream/conn.go
 */
const offers = [['v4.channel.k8s.io'], ['v5.channel.k8s.io']] as const;

/** What an exec route is opened with. */
export interface ExecRouteOptions {
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
  /** Exec subprotocols to offer, all at once; by default v4, and v5 where that is refused. */
  readonly protocols?: readonly string[] | undefined;
  readonly log?: Log | undefined;
  readonly reason?: string;
}

/**
 * The way through the exec API: one session with the surrogate, opened by the first request, and
 * opened again by the first one after it was lost.
 *
 * Its requests throw {@link UnreachableError} for a surrogate that does not run or was lost,
 * {@link KubernetesError} where the API refuses, and the errors of {@link openSession}.
 */
export function execRoute(options: ExecRouteOptions): Route {
  const { request, close } = reconnecting((signal) => connect(options, signal));
  return { via: 'exec', reason: options.reason ?? 'asked for', request, close };
}

async function connect(options: ExecRouteOptions, signal: AbortSignal): Promise<SurrogateSession> {
  const { kubernetes, registry, log = silent } = options;
  const pod = await runningPodOf(kubernetes, registry, signal);
  const exec = await startServe(options, pod, signal);
  const ending = watchExit(exec);
  try {
    const session = await openSession(exec.stream, {
      far: describeSurrogate(registry),
      says: () => [exec.stderr(), ending()].filter(Boolean).join('\n'),
      hint: `; ${nextStepFor(registry)}`,
      signal,
    });
    log.debug(`opened a session with ${pod}, version ${session.farVersion}, ${exec.protocol}`);
    return endingWith(session, exec, log);
  } catch (error) {
    const refused = await refusalOf(exec, registry);
    exec.abort();
    throw refused ?? error;
  }
}

async function startServe(
  { kubernetes, registry, protocols, log = silent }: ExecRouteOptions,
  pod: string,
  signal: AbortSignal,
): Promise<ExecSession> {
  const target = {
    namespace: registry.metadata.namespace,
    pod,
    container: names.surrogateContainer,
    command: surrogateCommand,
    signal,
  };
  if (protocols) return await kubernetes.exec({ ...target, protocols });
  const [first, second] = offers;
  try {
    return await kubernetes.exec({ ...target, protocols: first });
  } catch (error) {
    if (!mayBeOfProtocol(error)) throw error;
    log.debug(`${first.join()} was refused: ${error.message}`);
    return await kubernetes.exec({ ...target, protocols: second });
  }
}

/** Runtimes say in many ways that they do not speak a protocol; what else is wrong is said again. */
function mayBeOfProtocol(error: unknown): error is Error {
  if (error instanceof UnsupportedError) return true;
  return error instanceof KubernetesError && error.status !== 401 && !error.isNotFound;
}

/** How the program ended, as soon as that is known. */
function watchExit(exec: ExecSession): () => string {
  let said = '';
  const listen = async (): Promise<void> => {
    const { exitCode, message } = await exec.exit;
    said = exitCode === undefined ? message : `exit code ${exitCode}`;
  };
  listen().catch(() => {}); // the stream says so, too
  return () => said;
}

function endingWith(session: SurrogateSession, exec: ExecSession, log: Log): SurrogateSession {
  const abortWhenLost = async (): Promise<void> => {
    const error = await session.closed;
    if (!error) return;
    log.debug(error.message);
    exec.abort();
  };
  void abortWhenLost();
  const close = async (): Promise<void> => {
    await session.close();
    exec.abort();
  };
  return { ...session, close };
}

/** Statuses by which shells and container runtimes say that there is no such program. */
const notFound: ReadonlySet<number | undefined> = new Set([126, 127]);

/** A program that cannot be started will not be there a second later either. */
async function refusalOf(
  exec: ExecSession,
  registry: Registry,
): Promise<SurrogateError | undefined> {
  const unknown: ExecExit = { exitCode: undefined, message: '' };
  const patience = new AbortController();
  const exit = await Promise.race([
    exec.exit.catch(() => unknown),
    delay(1_000, unknown, { signal: patience.signal }).catch(() => unknown),
  ]);
  patience.abort();
  const { exitCode, message } = exit;
  if (!notFound.has(exitCode) && !/executable file not found|no such file/i.test(message)) {
    return undefined;
  }
  return new SurrogateError(
    `Cannot start a session with ${describeSurrogate(registry)}: its image has no ${surrogateCommand[0]} (${message || `exit code ${exitCode}`}); want the image of Reposure in spec.image, or none there`,
  );
}
