import { createHash } from 'node:crypto';

import { stringify } from 'yaml';

import type { KubernetesObject } from '../kubernetes/index.ts';

/** What the API keeps for itself, and what nobody applies. */
const ownFields = new Set([
  'managedFields',
  'resourceVersion',
  'uid',
  'generation',
  'creationTimestamp',
  'selfLink',
]);
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** An object without what the API adds by itself: what two states of it are compared by. */
export function withoutOwnFields(object: KubernetesObject): KubernetesObject {
  const { status: _, metadata, ...rest } = structuredClone(object);
  const kept = Object.entries(metadata).filter(([key]) => !ownFields.has(key));
  const result = { ...rest, metadata: Object.fromEntries(kept) } as KubernetesObject;
  if (result.metadata.annotations) delete result.metadata.annotations[lastApplied];
  return result;
}

/** As YAML for a person; of a Secret, values are told apart and not shown. */
export function readable(object: KubernetesObject | undefined): string {
  if (object === undefined) return '';
  const shown = withoutOwnFields(object);
  if (shown.kind === 'Secret') {
    for (const field of ['data', 'stringData']) {
      const values = shown[field];
      if (isMapping(values)) shown[field] = masked(values);
    }
  }
  return stringify(shown, {
    aliasDuplicateObjects: false,
    lineWidth: 0,
    sortMapEntries: (a, b) => rankOf(a.key).localeCompare(rankOf(b.key)),
  });
}

/** What an object or an item is called comes first. */
function rankOf(key: unknown): string {
  const name = String(key);
  const rank = ['apiVersion', 'kind', 'metadata', 'name'].indexOf(name);
  return `${rank === -1 ? 9 : rank} ${name}`;
}

/** A salt for this process: a hash that is printed must not tell what it is of. */
const salt = crypto.randomUUID();

function masked(values: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(values).map(([key, value]) => {
    const hash = createHash('sha256')
      .update(`${salt} ${String(value)}`)
      .digest('hex');
    return [key, `(hidden, ${hash.slice(0, 8)})`] as const;
  });
  return Object.fromEntries(entries);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
