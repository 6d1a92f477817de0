import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject, Pod } from '../kubernetes/index.ts';

interface Workload extends KubernetesObject {
  spec?: { selector?: Selector };
  status?: { updateRevision?: string };
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

const revisionKey = 'deployment.kubernetes.io/revision';
const hashKey = 'controller-revision-hash';

/** What makes the Pods of a workload's newest version, and those Pods. */
export interface NewestPods {
  /** The workload itself; of a Deployment, its newest ReplicaSet. */
  readonly owner: KubernetesObject;
  readonly pods: readonly Pod[];
}

/** The Pods of the newest version of a workload; `undefined` for what has none. */
export async function newestPodsOf(
  kubernetes: KubernetesClient,
  object: KubernetesObject,
  signal?: AbortSignal,
): Promise<NewestPods | undefined> {
  const { name, namespace } = object.metadata;
  if (object.kind === 'Pod') {
    const pod = await kubernetes.find<Pod>(resourceTypes.Pod, name, namespace, signal);
    return pod && { owner: object, pods: [pod] };
  }
  const { selector } = (object as Workload).spec ?? {};
  if (!selector) return undefined;
  const scope = { namespace, labelSelector: selectorText(selector), signal };
  const owner = object.kind === 'Deployment' ? await newestSet(kubernetes, object, scope) : object;
  if (!owner) return { owner: object, pods: [] };
  const { items } = await kubernetes.list<Pod>(resourceTypes.Pod, scope);
  const owned = items.filter((pod) => isOwnedBy(pod, owner));
  return { owner, pods: ofNewestRevision(owned, object) };
}

async function newestSet(
  kubernetes: KubernetesClient,
  deployment: KubernetesObject,
  scope: Parameters<KubernetesClient['list']>[1],
): Promise<KubernetesObject | undefined> {
  const sets = await kubernetes.list<KubernetesObject>(resourceTypes.ReplicaSet, scope);
  return sets.items
    .filter((set) => isOwnedBy(set, deployment))
    .toSorted((a, b) => revisionOf(b) - revisionOf(a))[0];
}

function revisionOf({ metadata }: KubernetesObject): number {
  return Number(metadata.annotations?.[revisionKey] ?? 0);
}

/** StatefulSets and DaemonSets own the Pods of all their versions. */
function ofNewestRevision(pods: readonly Pod[], object: Workload): Pod[] {
  if (object.kind !== 'StatefulSet' && object.kind !== 'DaemonSet') return [...pods];
  const byAge = pods.toSorted((a, b) => createdAt(b) - createdAt(a));
  const newest = object.status?.updateRevision ?? byAge[0]?.metadata.labels?.[hashKey];
  return pods.filter(
    ({ metadata }) => newest === undefined || metadata.labels?.[hashKey] === newest,
  );
}

function createdAt({ metadata }: KubernetesObject): number {
  return Date.parse(metadata.creationTimestamp ?? '') || 0;
}

function isOwnedBy(object: KubernetesObject, owner: KubernetesObject): boolean {
  return object.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) === true;
}

/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: Selector): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    switch (operator) {
      case 'In':
        return `${key} in (${values.join(',')})`;
      case 'NotIn':
        return `${key} notin (${values.join(',')})`;
      case 'DoesNotExist':
        return `!${key}`;
      default:
        return key;
    }
  });
  return [...labels, ...expressions].join(',');
}
