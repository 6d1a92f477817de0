import { isIPv6 } from 'node:net';

import { collect } from '@reposure/core';
import { distrusts } from '@reposure/core/registry';
import type { Distrust } from '@reposure/core/registry';
import { surrogateHealthPort } from '@reposure/core/resource';

/** What a surrogate says of its registry. */
export interface Health {
  readonly reachable: boolean;
  readonly credentialsValid: boolean;
  /** What is wrong; empty if nothing is. */
  readonly message: string;
  /** Why it does not trust its registry, if it does not. */
  readonly distrust?: Distrust;
}

/** It asks the registry before it answers. */
const timeoutMs = 10_000;
/** For so long, nobody waits again for one that said nothing at all. */
const silenceMs = 120_000;
const maxBytes = 64 * 1024;

/**
 * Asks surrogates how their registries are, and leaves those alone for a while that said nothing in
 * time: where a network policy is in between, every look would keep a worker for ten seconds.
 */
export function surrogateAsker(
  ask = askSurrogate,
  nowMs: () => number = () => performance.now(),
): (podIp: string, signal: AbortSignal) => Promise<Health | undefined> {
  const silentUntilMs = new Map<string, number>();
  return async (podIp, signal) => {
    if ((silentUntilMs.get(podIp) ?? 0) > nowMs()) return undefined;
    const askedAtMs = nowMs();
    const health = await ask(podIp, signal);
    const isSilent = health === undefined && nowMs() - askedAtMs >= timeoutMs;
    if (isSilent) silentUntilMs.set(podIp, nowMs() + silenceMs);
    else silentUntilMs.delete(podIp);
    return health;
  };
}

/**
 * Asks a surrogate how its registry is.
 *
 * @returns `undefined` if it does not say: it is starting, or a network policy is in between.
 */
export async function askSurrogate(
  podIp: string,
  signal: AbortSignal,
  port: number = surrogateHealthPort,
): Promise<Health | undefined> {
  const host = isIPv6(podIp) ? `[${podIp}]` : podIp;
  try {
    const response = await fetch(`http://${host}:${port}/readyz`, {
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (response.body === null) return undefined;
    const body = await collect(response.body, 'the answer of the surrogate', maxBytes);
    return parseHealth(JSON.parse(body.toString('utf8')));
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function parseHealth(value: unknown): Health | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const said: Partial<Record<keyof Health, unknown>> = value;
  const { reachable, credentialsValid, message } = said;
  if (typeof reachable !== 'boolean' || typeof credentialsValid !== 'boolean') return undefined;
  // One of another version may say what the API takes for no reason of a condition.
  const distrust = distrusts.find((each) => each === said.distrust);
  return {
    reachable,
    credentialsValid,
    message: typeof message === 'string' ? message : '',
    ...(distrust === undefined ? {} : { distrust }),
  };
}
