import { explain, ReposureError } from '@reposure/core';
import { UntrustedError } from '@reposure/core/registry';
import type { Distrust, Transport } from '@reposure/core/registry';

/** What `/readyz` answers: the operator makes conditions of it. */
export interface Health {
  readonly reachable: boolean;
  /** False as well where nothing is known, because the registry was not reached. */
  readonly credentialsValid: boolean;
  readonly message?: string;
  /** Why the registry is not trusted, if that is what is wrong. */
  readonly distrust?: Distrust;
}

/** What {@link healthCheck} goes by. */
export interface HealthCheckOptions {
  /** An answer is kept for so long, so that probes do not become a load. */
  readonly everyMs?: number;
  readonly timeoutMs?: number;
}

/** Asks the registry whether it answers, and takes the login; several askers share one question. */
export function healthCheck(
  upstream: Transport,
  options: HealthCheckOptions = {},
): () => Promise<Health> {
  const { everyMs = 5_000, timeoutMs = 8_000 } = options;
  let asked: { readonly atMs: number; readonly health: Promise<Health> } | undefined;
  return () => {
    const nowMs = performance.now();
    if (asked === undefined || nowMs - asked.atMs >= everyMs) {
      asked = { atMs: nowMs, health: healthOf(upstream, timeoutMs) };
    }
    return asked.health;
  };
}

/** Whether clients can be served. */
export function isReady({ reachable, credentialsValid }: Health): boolean {
  return reachable && credentialsValid;
}

async function healthOf(upstream: Transport, timeoutMs: number): Promise<Health> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await upstream({ method: 'GET', path: '/v2/', signal });
    await answer.discard();
    return verdictOn(answer.status);
  } catch (error) {
    const message = signal.aborted
      ? `the registry did not answer within ${timeoutMs / 1000} s`
      : explain(error);
    const refused = error instanceof ReposureError && error.code === 'AUTHENTICATION';
    const distrust = error instanceof UntrustedError ? { distrust: error.distrust } : {};
    return { reachable: refused, credentialsValid: false, message, ...distrust };
  }
}

function verdictOn(status: number): Health {
  if (status === 200) return { reachable: true, credentialsValid: true };
  if (status === 401 || status === 403) {
    const message = `the registry refuses the login: it answered ${status}`;
    return { reachable: true, credentialsValid: false, message };
  }
  const message = `GET /v2/ answered ${status}; want a registry of the OCI distribution API`;
  return { reachable: false, credentialsValid: false, message };
}
