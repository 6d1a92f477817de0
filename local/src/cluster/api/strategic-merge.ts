import { isDeepStrictEqual } from 'node:util';

import { builtInTyping } from './list-keys.ts';
import type { Fields } from './object.ts';
import { fieldsOf, isFields, listOf } from './object.ts';

/**
 * Applies a strategic merge patch of a built-in type: lists of known fields merge by their key.
 *
 * `$patch: replace|delete|merge`, `$retainKeys` and `$deleteFromPrimitiveList` are heeded,
 * `$setElementOrder` is not.
 *
 * @param document Not changed.
 * @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function applyStrategicMergePatch(
  document: unknown,
  patch: unknown,
  path: readonly string[] = [],
): unknown {
  if (!isFields(patch)) return structuredClone(patch);
  if (patch['$patch'] === 'replace') return withoutDirectives(patch);
  if (patch['$patch'] === 'delete') return {};
  const result = retained(fieldsOf(document), patch['$retainKeys']);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$deleteFromPrimitiveList/')) {
      const field = key.slice(key.indexOf('/') + 1);
      result[field] = listOf(result[field]).filter((item) => !listOf(value).includes(item));
    } else if (value === null) {
      delete result[key];
    } else if (!key.startsWith('$')) {
      result[key] = mergedField(result[key], value, [...path, key]);
    }
  }
  return result;
}

function retained(document: Fields, keys: unknown): Fields {
  if (!Array.isArray(keys)) return { ...document };
  return Object.fromEntries(Object.entries(document).filter(([key]) => keys.includes(key)));
}

function mergedField(current: unknown, value: unknown, path: readonly string[]): unknown {
  if (isFields(value)) return applyStrategicMergePatch(current, value, path);
  if (!Array.isArray(value)) return value;
  const kind = builtInTyping.listKind(path);
  if (kind === 'atomic') return withoutDirectives(value);
  if (kind === 'set') return [...new Set([...listOf(current), ...value])];
  return mergedList(listOf(current), value, kind[0] ?? 'name', path);
}

// The merge key is the first of the keys: `ports` merge by port alone, whatever the protocol.
function mergedList(
  current: readonly unknown[],
  patch: readonly unknown[],
  key: string,
  path: readonly string[],
): unknown[] {
  if (patch.some((item) => isDeepStrictEqual(item, { $patch: 'replace' }))) {
    return patch.filter((item) => fieldsOf(item)['$patch'] === undefined).map(withoutDirectives);
  }
  const result = [...current];
  for (const item of patch) {
    const { [key]: id, $patch: directive } = fieldsOf(item);
    const index = result.findIndex((each) => id !== undefined && fieldsOf(each)[key] === id);
    if (directive === 'delete') {
      if (index !== -1) result.splice(index, 1);
    } else if (index === -1) {
      result.push(withoutDirectives(item));
    } else {
      result[index] = applyStrategicMergePatch(result[index], item, path);
    }
  }
  return result;
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives);
  if (!isFields(value)) return value;
  const entries = Object.entries(value).filter(
    ([key, inner]) => !key.startsWith('$') && inner !== null,
  );
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutDirectives(inner)]));
}
