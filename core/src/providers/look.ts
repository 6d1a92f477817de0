import { KubernetesError } from '../kubernetes/index.ts';
import type { ApiObject, KubernetesClient, ResourceType } from '../kubernetes/index.ts';
import type { Sighting } from './provider.ts';

/** Which object is looked for. */
export interface Place {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly name: string;
}

/**
 * Looks an object up that may be none of our business.
 *
 * @returns `hidden` where we may not look: the operator has rights in its own namespace only, and
 * a well-known name is often all that is needed.
 */
export async function look<T extends ApiObject>(
  kubernetes: KubernetesClient,
  { type, name, namespace }: Place,
): Promise<T | 'hidden' | undefined> {
  try {
    return await kubernetes.find<T>(type, name, namespace);
  } catch (error) {
    if (error instanceof KubernetesError && error.isForbidden) return 'hidden';
    throw error;
  }
}

/** A sighting of an object that stands for its registry. */
export async function sightingOf(kubernetes: KubernetesClient, place: Place): Promise<Sighting> {
  const found = await look(kubernetes, place);
  const state = found === 'hidden' ? found : found === undefined ? 'absent' : 'there';
  return { state, what: describePlace(place) };
}

/** `Service kube-system/registry` */
export function describePlace({ type, namespace, name }: Place): string {
  return `${type.kind} ${namespace}/${name}`;
}

/** What lets the operator of a namespace look at one object elsewhere, as lines for a shell. */
export function grantFor({ type, namespace, name }: Place, operatorNamespace: string): string {
  const role = `reposure-operator-${operatorNamespace}`;
  return [
    `kubectl create role ${role} -n ${namespace} --verb=get --resource=${type.plural} --resource-name=${name}`,
    `kubectl create rolebinding ${role} -n ${namespace} --role=${role} --serviceaccount=${operatorNamespace}:reposure-operator`,
  ].join(' && ');
}
