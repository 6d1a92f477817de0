import { describePod, isPodReady } from '@reposure/core/install';
import type { Pod } from '@reposure/core/install';
import { CredentialsError, ResolutionError } from '@reposure/core/providers';
import type { Credentials, Resolved } from '@reposure/core/providers';
import type { Condition } from '@reposure/core/resource';

import type { Health } from './health-probe.ts';

/** What was seen of one Registry. */
export interface Observation {
  readonly resolution: Resolved | ResolutionError;
  /** `undefined` where there was nothing to have credentials for. */
  readonly credentials?: Credentials | CredentialsError | undefined;
  /** The surrogate's objects could not be applied. */
  readonly applyError?: string | undefined;
  readonly isSuspended: boolean;
  /** Only one of today's configuration. */
  readonly pod?: Pod | undefined;
  /** What the surrogate says of its registry. */
  readonly health?: Health | undefined;
}

/** A condition before anybody knows since when. */
export type Verdict = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** Every condition of a Registry, the summary last. */
export function verdictsOf(seen: Observation): Verdict[] {
  const verdicts = [resolvedOf(seen), credentialsValidOf(seen), reachableOf(seen)];
  return [...verdicts, readyOf(seen, verdicts)];
}

/**
 * Verdicts as conditions.
 *
 * @param now RFC 3339; kept from before where the status has not changed.
 */
export function conditionsOf(
  verdicts: readonly Verdict[],
  before: readonly Condition[],
  generation: number,
  now: string,
): Condition[] {
  return verdicts.map((current) => {
    const earlier = before.find((each) => each.type === current.type);
    return {
      ...current,
      lastTransitionTime: earlier?.status === current.status ? earlier.lastTransitionTime : now,
      observedGeneration: generation,
    };
  });
}

function resolvedOf({ resolution }: Observation): Verdict {
  if (resolution instanceof ResolutionError) {
    return verdict('Resolved', 'False', resolution.reason, resolution.message);
  }
  const scheme = resolution.insecure ? 'plain HTTP' : 'TLS';
  return verdict('Resolved', 'True', 'Resolved', `${resolution.pushHost}, over ${scheme}`);
}

function credentialsValidOf(seen: Observation): Verdict {
  const type = 'CredentialsValid';
  const { resolution, health, pod } = seen;
  if (resolution instanceof ResolutionError) return unresolved(type);
  const refusal = refusalOf(seen);
  if (refusal !== undefined) return verdict(type, 'False', refusal.reason, refusal.message);
  if (!(health?.credentialsValid ?? isReady(pod))) return unasked(type);
  const secret = loginSecretOf(seen);
  return secret === undefined
    ? verdict(type, 'True', 'NotNeeded', 'The registry answers without a login')
    : verdict(type, 'True', 'Accepted', `The registry accepts the login in ${secret}`);
}

function refusalOf({
  credentials,
  health,
}: Observation): Pick<Verdict, 'reason' | 'message'> | undefined {
  if (credentials instanceof CredentialsError) return credentials;
  if (credentials?.refusal !== undefined) return credentials.refusal;
  const isRefused = health !== undefined && health.reachable && !health.credentialsValid;
  return isRefused ? { reason: 'Refused', message: health.message } : undefined;
}

function loginSecretOf({ credentials }: Observation): string | undefined {
  return credentials instanceof CredentialsError ? undefined : credentials?.login?.secret;
}

function reachableOf({ resolution, health, pod }: Observation): Verdict {
  const type = 'Reachable';
  if (resolution instanceof ResolutionError) return unresolved(type);
  if (health !== undefined && !health.reachable) {
    return verdict(type, 'False', 'NoAnswer', health.message);
  }
  // Where a network policy keeps the operator out, the kubelet has asked the same question.
  return (health?.reachable ?? isReady(pod))
    ? verdict(type, 'True', 'Answered', `${resolution.pushHost} answers the surrogate`)
    : unasked(type);
}

function readyOf(seen: Observation, verdicts: readonly Verdict[]): Verdict {
  const { applyError, isSuspended, pod, resolution } = seen;
  if (applyError !== undefined) return verdict('Ready', 'False', 'ApplyFailed', applyError);
  if (isSuspended) {
    return verdict('Ready', 'False', 'Suspended', 'replicas is 0: there is no surrogate');
  }
  const failed = verdicts.find(({ status }) => status === 'False');
  if (failed !== undefined) return { ...failed, type: 'Ready' };
  if (!isReady(pod)) {
    const state = pod ? describePod(pod) : 'there is no Pod of this configuration yet';
    return verdict('Ready', 'False', 'SurrogateNotReady', `The surrogate is not ready: ${state}`);
  }
  const host = resolution instanceof ResolutionError ? '' : resolution.pushHost;
  return verdict('Ready', 'True', 'Ready', `Images can be pushed to and pulled from ${host}`);
}

function isReady(pod: Pod | undefined): boolean {
  return pod !== undefined && isPodReady(pod);
}

function unresolved(type: string): Verdict {
  return verdict(type, 'Unknown', 'NotResolved', 'There is no registry to ask');
}

function unasked(type: string): Verdict {
  return verdict(type, 'Unknown', 'NotAsked', 'The surrogate has not asked the registry yet');
}

function verdict(
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
): Verdict {
  // The API takes 32 KiB; a person reads a line.
  return { type, status, reason, message: message.slice(0, 1024) };
}
