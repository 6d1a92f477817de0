import { createHash, randomBytes } from 'node:crypto';

import type { GivenObject, StoredObject } from '../api/object.ts';
import type { Store } from '../api/store.ts';
import { isTrue } from './condition.ts';
import type { Pod, PodTemplate } from './objects.ts';

/** The objects of one resource that an owner controls. */
export function ownedBy<T extends StoredObject>(
  store: Store,
  resource: string,
  owner: StoredObject,
): T[] {
  return store
    .peekAll(resource, owner.metadata.namespace)
    .filter(({ metadata }) =>
      metadata.ownerReferences?.some(
        ({ uid, controller }) => controller && uid === owner.metadata.uid,
      ),
    ) as T[];
}

/** The reference by which an owner controls what it made. */
export function controllerReference({
  apiVersion,
  kind,
  metadata: { name, uid },
}: StoredObject): NonNullable<StoredObject['metadata']['ownerReferences']>[number] {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** A Pod as its template says. @param labels Beside the template's own. */
export function podOf(
  owner: StoredObject,
  name: string,
  template: PodTemplate,
  labels: Readonly<Record<string, string>> = {},
): GivenObject & { spec: PodTemplate['spec'] } {
  const { namespace } = owner.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      labels: { ...template.metadata?.labels, ...labels },
      ...(template.metadata?.annotations ? { annotations: template.metadata.annotations } : {}),
      ownerReferences: [controllerReference(owner)],
    },
    spec: structuredClone(template.spec),
  };
}

/** Whether a Pod answers. */
export function isReady(pod: Pod): boolean {
  return isTrue(pod.status?.conditions, 'Ready');
}

/** Whether a Pod runs or will run: neither over nor on its way out. */
export function isActive({ status, metadata }: Pod): boolean {
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return !isOver && metadata.deletionTimestamp === undefined;
}

/** Ten letters that tell templates apart, for labels. */
export function hashOf(template: unknown): string {
  return createHash('sha256').update(canonical(template)).digest('hex').slice(0, 10);
}

/** The five letters at the end of a generated name. */
export function randomSuffix(): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  return [...randomBytes(5)].map((byte) => letters[byte % letters.length]).join('');
}

/** JSON with sorted keys: equal templates have equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    const isObject = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    if (!isObject) return inner;
    return Object.fromEntries(
      Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ) as unknown;
  });
}
