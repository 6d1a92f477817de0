import { describePod, isPodReady } from '@reposure/core/install';
import type { Pod } from '@reposure/core/kubernetes';
import { CredentialsError, ResolutionError } from '@reposure/core/providers';
import type { Credentials, Resolved } from '@reposure/core/providers';
import type { Condition } from '@reposure/core/resource';

import type { ConditionReason, ConditionType } from './condition-reasons.ts';
import type { Health } from './health-probe.ts';

/** What was seen of one Registry. */
export interface Observation {
  /** `undefined` if it could not be looked up: see `readError`. */
  readonly resolution: Resolved | ResolutionError | undefined;
  /** `undefined` where there was nothing to have credentials for. */
  readonly credentials?: Credentials | CredentialsError | undefined;
  /** The API did not show something that had to be seen. */
  readonly readError?: string | undefined;
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

/** How long an answer must be missing before it counts: less than from one look to the next. */
const doubtMs = 2500;

/**
 * Every condition of a Registry, the summary last.
 *
 * @param before The conditions that it has.
 * @param now RFC 3339
 */
export function verdictsOf(
  seen: Observation,
  before: readonly Condition[],
  now: string,
): Verdict[] {
  const [resolved, credentialsValid] = [resolvedOf(seen), credentialsValidOf(seen)];
  const reachable = reachableOf(seen);
  const counted = isDoubtful(reachable, seen, before, now) ? [] : [reachable];
  const ready = readyOf(seen, [resolved, credentialsValid, ...counted]);
  return [resolved, credentialsValid, reachable, nodePullableOf(seen), ready];
}

/**
 * What is not yet as it should be, and may become so.
 *
 * Whether nodes can pull is not among it: that is told by the spec and the cluster, and images can
 * be pushed and pulled without any node.
 */
export function unsettledOf(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.filter(({ type, status }) => status !== 'True' && type !== nodePullable);
}

/**
 * Whether one answer is missing from where all was well, and still is as far as the kubelet knows:
 * a request may get lost, and a Registry must not stop being ready for it.
 */
function isDoubtful(
  reachable: Verdict,
  { pod }: Observation,
  before: readonly Condition[],
  now: string,
): boolean {
  const was = (type: string): Condition | undefined => before.find((each) => each.type === type);
  const { status, lastTransitionTime = now } = was('Reachable') ?? {};
  const missingForMs = status === 'False' ? Date.parse(now) - Date.parse(lastTransitionTime) : 0;
  const wasReady = was('Ready')?.status === 'True';
  return reachable.status === 'False' && wasReady && isReady(pod) && missingForMs < doubtMs;
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

function resolvedOf(seen: Observation): Verdict {
  const { resolution } = seen;
  if (resolution === undefined) return unasked('Resolved', seen);
  if (resolution instanceof ResolutionError) {
    return verdict('Resolved', 'False', resolution.reason, resolution.message);
  }
  const scheme = resolution.insecure ? 'plain HTTP' : 'TLS';
  const said = [`${resolution.pushHost}, over ${scheme}`, resolution.note].filter(Boolean);
  return verdict('Resolved', 'True', 'Resolved', said.join('; '));
}

const nodePullable = 'NodePullable';

function nodePullableOf(seen: Observation): Verdict {
  const { resolution } = seen;
  if (resolution === undefined) return unasked(nodePullable, seen);
  if (resolution instanceof ResolutionError) return unresolved(nodePullable);
  const { status, reason, message } = resolution.nodes;
  return verdict(nodePullable, status, reason, message);
}

function credentialsValidOf(seen: Observation): Verdict {
  const type = 'CredentialsValid';
  const { resolution, health, pod, readError } = seen;
  if (resolution instanceof ResolutionError) return unresolved(type);
  const refusal = refusalOf(seen);
  if (refusal !== undefined) return verdict(type, 'False', refusal.reason, refusal.message);
  const isAccepted = readError === undefined && (health?.credentialsValid ?? isReady(pod));
  if (!isAccepted) return unasked(type, seen);
  const login = describeLogin(seen);
  return login === undefined
    ? verdict(type, 'True', 'NotNeeded', 'The registry answers without a login')
    : verdict(type, 'True', 'Accepted', `The registry accepts ${login}`);
}

/** Why a login does not count. */
interface Refusal {
  readonly reason: ConditionReason;
  readonly message: string;
}

function refusalOf({ credentials, health, resolution }: Observation): Refusal | undefined {
  if (credentials instanceof CredentialsError) return credentials;
  if (credentials?.refusal !== undefined) return credentials.refusal;
  const isRefused = health !== undefined && health.reachable && !health.credentialsValid;
  if (!isRefused) return undefined;
  const advice = resolution instanceof ResolutionError ? undefined : resolution?.loginAdvice;
  const message = [health.message, advice].filter(Boolean).join('; ');
  return { reason: 'Refused', message };
}

function describeLogin({ credentials }: Observation): string | undefined {
  if (credentials === undefined || credentials instanceof CredentialsError) return undefined;
  const { login, account } = credentials;
  if (login) return `the login in ${login.secret}`;
  return account && `the token of the ServiceAccount ${account.account}`;
}

function reachableOf(seen: Observation): Verdict {
  const type = 'Reachable';
  const { resolution, health, pod } = seen;
  if (resolution instanceof ResolutionError) return unresolved(type);
  if (resolution === undefined) return unasked(type, seen);
  if (health !== undefined && !health.reachable) {
    return verdict(type, 'False', health.distrust ?? 'NoAnswer', health.message);
  }
  // Where a network policy keeps the operator out, the kubelet has asked the same question.
  return (health?.reachable ?? isReady(pod))
    ? verdict(type, 'True', 'Answered', `${resolution.pushHost} answers the surrogate`)
    : unasked(type, seen);
}

function readyOf(seen: Observation, verdicts: readonly Verdict[]): Verdict {
  const { applyError, readError, isSuspended, pod, resolution } = seen;
  if (applyError !== undefined) return verdict('Ready', 'False', 'ApplyFailed', applyError);
  if (readError !== undefined) return verdict('Ready', 'False', 'ReadFailed', readError);
  if (isSuspended) {
    return verdict('Ready', 'False', 'Suspended', 'replicas is 0: there is no surrogate');
  }
  const failed = verdicts.find(({ status }) => status === 'False');
  if (failed !== undefined) return { ...failed, type: 'Ready' };
  if (!isReady(pod)) {
    const state = pod ? describePod(pod) : 'there is no Pod of this configuration yet';
    return verdict('Ready', 'False', 'SurrogateNotReady', `The surrogate is not ready: ${state}`);
  }
  const host = resolution instanceof ResolutionError ? '' : (resolution?.pushHost ?? '');
  return verdict('Ready', 'True', 'Ready', `Images can be pushed to and pulled from ${host}`);
}

function isReady(pod: Pod | undefined): boolean {
  return pod !== undefined && isPodReady(pod);
}

function unresolved(type: ConditionType): Verdict {
  return verdict(type, 'Unknown', 'NotResolved', 'There is no registry to ask');
}

function unasked(type: ConditionType, { readError }: Observation): Verdict {
  if (readError !== undefined) return verdict(type, 'Unknown', 'ReadFailed', readError);
  return verdict(type, 'Unknown', 'NotAsked', 'The surrogate has not asked the registry yet');
}

function verdict(
  type: ConditionType,
  status: Condition['status'],
  reason: ConditionReason,
  message: string,
): Verdict {
  // The API takes 32 KiB; a person reads a line.
  return { type, status, reason, message: message.slice(0, 1024) };
}
