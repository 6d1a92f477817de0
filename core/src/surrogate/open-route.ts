import { explain, UnreachableError } from '../errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { KubernetesError } from '../kubernetes/kubernetes-error.ts';
import { resourceTypes } from '../kubernetes/resource-types.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { conditionOf } from '../resource/registry.ts';
import type { Registry } from '../resource/registry.ts';
import type { OwnAccess } from './direct-route.ts';
import { limitedRoute } from './limited-route.ts';
import { NoKeyError, roleStep } from './proxy-keys.ts';
import type { Route, RouteKind } from './route.ts';

export type { Route, RouteKind } from './route.ts';
import { nextStepFor } from './surrogate-pod.ts';

/** What a person asks for: a certain way, or the best one. */
export type RouteChoice = RouteKind | 'auto';

/** What {@link openRoute} goes by. */
export interface OpenRouteOptions {
  /** The cluster that the Registry resource was read from. */
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
  readonly route: RouteChoice;
  /** What it will be used for: the key for reading opens no way to push. `write` by default. */
  readonly access?: 'read' | 'write' | undefined;
  /**
   * Opens the cluster that this process runs in, if it runs in one; answers `known` itself if that is
   * the one. Only entry points know where they run: `openOwnCluster`.
   */
  readonly ownCluster?: (known: KubernetesClient) => Promise<KubernetesClient | undefined>;
  /** For the direct way, before the Secrets that the Registry names, which then need not be read. */
  readonly own?: OwnAccess | undefined;
  /** Exec subprotocols to offer, best first. */
  readonly protocols?: readonly string[] | undefined;
  /** Ends the opening; the route itself lives until it is closed, so that what was begun can be taken back. */
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
}

/** For each way that is tried before exec, which always has to do. */
const pingTimeMs = 2_000;
const maxReasonLength = 160;

/**
 * Opens the way in to a registry; `auto` goes direct where that works, else through the API server's
 * proxy where that is permitted and answers, and by exec otherwise.
 *
 * @throws {UnreachableError} if the operator could not resolve the registry.
 * @throws {InputError} if it was asked to go direct, and the resource does not say how.
 * @throws {KubernetesError} if it was asked to go direct or by the proxy, and may not read the
 *   Secrets for it.
 */
export async function openRoute(options: OpenRouteOptions): Promise<Route> {
  return limitedRoute(await openWay(options), options);
}

async function openWay(options: OpenRouteOptions): Promise<Route> {
  const { registry, route, log = silent } = options;
  if (route === 'direct') return await directRoute(options);
  const direct = route === 'auto' ? await tryDirect(options) : undefined;
  if (typeof direct === 'object') return direct;
  refuseUnresolved(registry);
  warnOf(registry, log);
  if (route === 'proxy') return await proxyRoute(options);
  if (direct === undefined) return await execRoute(options);
  const proxy = await tryProxy(options, direct);
  if (typeof proxy === 'object') return proxy;
  const exec = await execRoute({ ...options, reason: `${direct}; ${proxy}` });
  return sayingRights(exec, options, proxy);
}

/** Exec is the last way, but not the one whose rights are to be asked for. */
function sayingRights(exec: Route, { registry, access }: OpenRouteOptions, proxy: string): Route {
  const [verb, use] =
    access === 'read' ? (['pull from', 'read'] as const) : (['push to', 'write'] as const);
  const { name, namespace } = registry.metadata;
  const request: Route['request'] = async (asked) => {
    try {
      return await exec.request(asked);
    } catch (error) {
      if (!(error instanceof KubernetesError && error.isForbidden)) throw error;
      throw new KubernetesError(`${verb} registry ${namespace}/${name}`, {
        status: 403,
        message: `${proxy}, and pods/exec is forbidden, too`,
        nextStep: roleStep(registry, use),
      });
    }
  };
  return { ...exec, request };
}

/** The proxy route, or why there is none. */
async function tryProxy(options: OpenRouteOptions, direct: string): Promise<Route | string> {
  const { signal } = options;
  const limit = AbortSignal.timeout(pingTimeMs);
  const both = signal ? AbortSignal.any([signal, limit]) : limit;
  try {
    const reason = `${direct}; the API server's proxy answers`;
    const route = await proxyRoute({ ...options, signal: both, reason });
    const answer = await route.request({ method: 'GET', path: '/v2/', signal: both });
    await answer.discard();
    return route;
  } catch (error) {
    signal?.throwIfAborted();
    return limit.aborted
      ? `the API server's proxy does not answer within ${pingTimeMs / 1000} s`
      : proxyProblem(error);
  }
}

function proxyProblem(error: unknown): string {
  if (error instanceof NoKeyError) return `no key for the API server's proxy: ${error.state}`;
  if (!(error instanceof KubernetesError)) return shortened(explain(error));
  return `the API server's proxy says ${error.status} (${error.reason})`;
}

/** A reason is one clause on one line. */
function shortened(text: string): string {
  const [clause = ''] = text.split('; ');
  return clause.length > maxReasonLength ? `${clause.slice(0, maxReasonLength)}…` : clause;
}

/** The direct route, or why there is none. */
async function tryDirect(options: OpenRouteOptions): Promise<Route | string> {
  const { signal } = options;
  const known = await isOwnCluster(options);
  if (known !== true) return known;
  try {
    const reason = "inside the registry's own cluster, and the registry answers";
    const route = await directRoute({ ...options, reason });
    const problem = await pingProblem(route, signal);
    if (problem === undefined) return route;
    await route.close();
    return `inside the registry's own cluster, but it does not answer directly: ${problem}`;
  } catch (error) {
    signal?.throwIfAborted();
    return `inside the registry's own cluster, but there is no direct way: ${explain(error)}`;
  }
}

/** Whether the registry's cluster is the one that this process runs in, or why that is not known. */
async function isOwnCluster(options: OpenRouteOptions): Promise<true | string> {
  const { kubernetes, ownCluster, signal } = options;
  const own = await ownCluster?.(kubernetes);
  if (own === undefined) return 'not inside a cluster';
  if (own === kubernetes) return true;
  try {
    const uids = await Promise.all([kubernetes, own].map((client) => uidOf(client, signal)));
    return (
      (uids[0] !== undefined && uids[0] === uids[1]) || "inside another cluster than the registry's"
    );
  } catch (error) {
    signal?.throwIfAborted();
    return `nothing tells whether this is the registry's own cluster: ${explain(error)}`;
  } finally {
    own.close();
  }
}

/** Of a namespace that every cluster has, and that outlives everything else in it. */
async function uidOf(client: KubernetesClient, signal?: AbortSignal): Promise<string | undefined> {
  const found = await client.get(resourceTypes.Namespace, 'kube-system', undefined, signal);
  return found.metadata.uid;
}

async function pingProblem(
  route: Route,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const limit = AbortSignal.timeout(pingTimeMs);
  try {
    const answer = await route.request({
      method: 'GET',
      path: '/v2/',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    await answer.discard();
    return answer.status === 200 ? undefined : `it answered ${answer.status}`;
  } catch (error) {
    signal?.throwIfAborted();
    return limit.aborted ? `nothing within ${pingTimeMs / 1000} s` : explain(error);
  }
}

// Loaded only where it is used: its HTTP client costs a third of a short process's start.
async function directRoute(options: OpenRouteOptions & { reason?: string }): Promise<Route> {
  const module = await import('./direct-route.ts');
  return await module.directRoute(options);
}

async function execRoute(options: OpenRouteOptions & { reason?: string }): Promise<Route> {
  const module = await import('./exec-route.ts');
  return module.execRoute(options);
}

async function proxyRoute(options: OpenRouteOptions & { reason?: string }): Promise<Route> {
  const module = await import('./proxy-route.ts');
  return await module.proxyRoute(options);
}

/** There is no surrogate yet, or one for what the resource said before. */
function refuseUnresolved(registry: Registry): void {
  const resolved = conditionOf(registry, 'Resolved');
  const { name, namespace, generation = 0 } = registry.metadata;
  // What was said about an earlier spec says nothing about this one.
  const isCurrent = (resolved?.observedGeneration ?? generation) >= generation;
  if (resolved?.status !== 'False' || !isCurrent) return;
  throw new UnreachableError(
    `Cannot reach registry ${namespace}/${name}: ${resolved.message}; ${nextStepFor(registry)}`,
  );
}

/** The operator looks every now and then only: what it saw may be over, and the surrogate knows. */
function warnOf(registry: Registry, log: Log): void {
  for (const type of ['CredentialsValid', 'Reachable']) {
    const condition = conditionOf(registry, type);
    if (condition?.status === 'False') log.warn(`the operator says: ${condition.message}`);
  }
}
