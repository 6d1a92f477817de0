import { fieldsOf, isFields, listOf } from './object.ts';
import type { Fields } from './object.ts';

/** How a list is merged: whole, as a set of values, or item by item by these keys. */
type ListKind = 'atomic' | 'set' | readonly string[];

/** What a merge must know of a type; a path is field names only, the indexes of lists left out. */
export interface Typing {
  listKind(path: readonly string[]): ListKind;
  isAtomicMap(path: readonly string[]): boolean;
}

const byName = ['name'];

// The fields of built-in types that merge by key: the same names mean the same everywhere.
const keyedLists: Readonly<Record<string, readonly string[]>> = {
  containers: byName,
  initContainers: byName,
  ephemeralContainers: byName,
  volumes: byName,
  env: byName,
  imagePullSecrets: byName,
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  hostAliases: ['ip'],
  ownerReferences: ['uid'],
  conditions: ['type'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
};

const atomicMaps = new Set([
  'selector',
  'nodeSelector',
  'secretKeyRef',
  'configMapKeyRef',
  'fieldRef',
  'resourceFieldRef',
  'roleRef',
  'claimRef',
  'involvedObject',
]);

/** The typing of everything that is no custom resource. */
export const builtInTyping: Typing = {
  listKind: (path) => {
    const field = path.at(-1) ?? '';
    if (field === 'ports') return portKeys(path);
    if (field === 'finalizers') return 'set';
    if (path.length === 1 && field === 'secrets') return byName;
    return keyedLists[field] ?? 'atomic';
  },
  isAtomicMap: (path) => path[0] === 'spec' && atomicMaps.has(path.at(-1) ?? ''),
};

function portKeys(path: readonly string[]): ListKind {
  const isContainer = path.some((field) => field.toLowerCase().endsWith('containers'));
  if (isContainer) return ['containerPort', 'protocol'];
  return path.length === 2 && path[0] === 'spec' ? ['port', 'protocol'] : 'atomic';
}

/** The typing of a custom resource, from its structural schema; metadata is as everywhere. */
export function schemaTyping(schema: Fields): Typing {
  return {
    listKind: (path) => {
      if (path[0] === 'metadata') return builtInTyping.listKind(path);
      const found = schemaAt(schema, path);
      if (found?.['x-kubernetes-list-type'] === 'set') return 'set';
      if (found?.['x-kubernetes-list-type'] !== 'map') return 'atomic';
      return listOf(found['x-kubernetes-list-map-keys']) as string[];
    },
    isAtomicMap: (path) => schemaAt(schema, path)?.['x-kubernetes-map-type'] === 'atomic',
  };
}

function schemaAt(schema: Fields, path: readonly string[]): Fields | undefined {
  let at: unknown = schema;
  for (const field of path) {
    if (!isFields(at)) return undefined;
    if (isFields(at['items'])) at = at['items'];
    const known = fieldsOf(at)['properties'];
    const property = fieldsOf(known)[field];
    at = property ?? fieldsOf(at)['additionalProperties'];
  }
  return isFields(at) ? at : undefined;
}

/** The values that tell an item of a keyed list from the others, defaults filled in. */
export function keyOf(item: unknown, keys: readonly string[]): Fields {
  const fields = fieldsOf(item);
  const entries = keys.map((key): [string, unknown] => [
    key,
    fields[key] ?? (key === 'protocol' ? 'TCP' : undefined),
  ]);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
