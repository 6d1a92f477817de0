import { UnreachableError } from '../errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { KubernetesError } from '../kubernetes/kubernetes-error.ts';
import type { Pod } from '../kubernetes/pod.ts';
import { resourceTypes } from '../kubernetes/resource-types.ts';
import { conditionOf, names } from '../resource/registry.ts';
import type { Registry } from '../resource/registry.ts';

/** `the surrogate of ci/default` */
export function describeSurrogate({ metadata }: Registry): string {
  return `the surrogate of ${metadata.namespace}/${metadata.name}`;
}

/** The command that tells a person more about a registry. */
export function nextStepFor({ metadata }: Registry): string {
  return `\`reposure registry describe ${metadata.name} -n ${metadata.namespace}\` says more`;
}

/** Whether an operator sees to it that there is a surrogate: it has looked at the registry, which wants one. */
export function isLookedAfter(registry: Registry): boolean {
  return conditionOf(registry, 'Ready') !== undefined && registry.spec.replicas !== 0;
}

/**
 * Looks whether one can exec into the surrogate of a registry.
 *
 * Who may not see Pods may still exec into this one: then nothing is looked at.
 *
 * @returns The name of its Pod.
 * @throws {UnreachableError} that says what the Pod is doing instead.
 */
export async function runningPodOf(
  kubernetes: KubernetesClient,
  registry: Registry,
  signal?: AbortSignal,
): Promise<string> {
  const { name, namespace } = registry.metadata;
  const podName = registry.status?.surrogatePod ?? names.surrogatePod(name);
  const pod = await findPod(kubernetes, podName, namespace, signal);
  if (pod === 'hidden') return podName;
  const state = pod === undefined ? 'does not exist' : stateOf(pod);
  if (state === undefined) return podName;
  const isExpectedBack = isLookedAfter(registry) && (pod === undefined || isStarting(pod));
  throw new UnreachableError(
    `Cannot reach ${describeSurrogate(registry)}: its Pod ${podName} ${state}; want it running${readinessOf(registry)}; ${nextStepFor(registry)}`,
    { isExpectedBack },
  );
}

async function findPod(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<Pod | 'hidden' | undefined> {
  try {
    return await kubernetes.find<Pod>(resourceTypes.Pod, name, namespace, signal);
  } catch (error) {
    if (error instanceof KubernetesError && error.isForbidden) return 'hidden';
    throw error;
  }
}

/** What the Pod does instead of running, if it does not run. */
function stateOf({ metadata, status }: Pod): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return 'is being replaced';
  const container = status?.containerStatuses?.find((c) => c.name === names.surrogateContainer);
  const { running, waiting, terminated } = container?.state ?? {};
  if (running) return undefined;
  if (waiting) return `waits: ${clause(waiting.reason, waiting.message)}`;
  if (terminated) {
    return `has ended: ${clause(terminated.reason, `exit code ${terminated.exitCode}`)}`;
  }
  return `is ${clause(status?.phase ?? 'Pending', status?.reason)}`;
}

/** What the kubelet says of a container that nothing is wrong with yet. */
const startingReasons: ReadonlySet<string | undefined> = new Set([
  undefined,
  'ContainerCreating',
  'PodInitializing',
]);

/** Whether the Pod, or the one after it, is on its way: nothing keeps it from running. */
function isStarting({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return true;
  const container = status?.containerStatuses?.find((c) => c.name === names.surrogateContainer);
  return startingReasons.has(container?.state?.waiting?.reason);
}

function clause(...parts: readonly (string | undefined)[]): string {
  return parts.filter(Boolean).join(': ');
}

function readinessOf(registry: Registry): string {
  const ready = conditionOf(registry, 'Ready');
  if (ready === undefined) return '; no operator has looked at this registry yet';
  return ready.status === 'True' ? '' : `; the operator says: ${ready.message}`;
}
