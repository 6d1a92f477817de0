import { isDeepStrictEqual } from 'node:util';

import { keyOf } from './list-keys.ts';
import type { Typing } from './list-keys.ts';
import type { Fields } from './object.ts';
import { isFields, listOf } from './object.ts';

/**
 * Fields of an object, each as its path of elements: `f:<field>`, `k:<keys of a list item>`,
 * `v:<value in a set>`. The path of a list item itself is in the set, too.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export type FieldSet = ReadonlySet<string>;

const separator = '\0';

/** A path of a {@link FieldSet} as its elements. */
export function elementsOf(path: string): string[] {
  return path.split(separator);
}

/** Every field that an object sets: the leaves of objects, and whole what merges as a whole. */
export function fieldSetOf(object: Fields, typing: Typing): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown, path: readonly string[], names: readonly string[]): void => {
    if (isFields(value) && !typing.isAtomicMap(names)) {
      visitFields(value, path, names);
    } else if (Array.isArray(value) && typing.listKind(names) !== 'atomic') {
      visitList(value, path, names);
    } else {
      found.add(path.join(separator));
    }
  };
  const visitFields = (value: Fields, path: readonly string[], names: readonly string[]): void => {
    const entries = Object.entries(value);
    if (entries.length === 0 && path.length > 0) found.add(path.join(separator));
    for (const [key, inner] of entries) visit(inner, [...path, `f:${key}`], [...names, key]);
  };
  const visitList = (
    value: readonly unknown[],
    path: readonly string[],
    names: readonly string[],
  ): void => {
    const kind = typing.listKind(names);
    if (value.length === 0) found.add(path.join(separator));
    for (const item of value) {
      const itemPath = [...path, elementOf(item, kind === 'set' ? undefined : (kind as string[]))];
      found.add(itemPath.join(separator));
      if (kind !== 'set' && isFields(item)) visitFields(item, itemPath, names);
    }
  };
  visitFields(object, [], []);
  return found;
}

function elementOf(item: unknown, keys: readonly string[] | undefined): string {
  return keys ? `k:${JSON.stringify(keyOf(item, keys))}` : `v:${JSON.stringify(item)}`;
}

/** A set as `fieldsV1` has it. */
export function fieldsV1Of(set: FieldSet): Fields {
  const root: Fields = {};
  const nodeOf = (path: string): Fields => {
    let node = root;
    for (const element of elementsOf(path)) node = (node[element] ??= {}) as Fields;
    return node;
  };
  for (const path of [...set].toSorted()) nodeOf(path);
  for (const path of set) {
    const node = nodeOf(path);
    if (Object.keys(node).length > 0) node['.'] = {};
  }
  return root;
}

/** The set that `fieldsV1` says. */
export function parseFieldsV1(fields: Fields): Set<string> {
  const found = new Set<string>();
  const visit = (node: unknown, path: readonly string[]): void => {
    const inner = isFields(node) ? Object.entries(node) : [];
    if (path.length > 0 && (inner.length === 0 || inner.some(([key]) => key === '.'))) {
      found.add(path.join(separator));
    }
    for (const [key, child] of inner) if (key !== '.') visit(child, [...path, key]);
  };
  visit(fields, []);
  return found;
}

/** What an object has at a path; `undefined` if nothing. */
export function valueAtPath(object: unknown, path: string): unknown {
  let at = object;
  for (const element of elementsOf(path)) at = memberOf(at, element);
  return at;
}

function memberOf(value: unknown, element: string): unknown {
  const kind = element.slice(0, 2);
  const rest = element.slice(2);
  if (kind === 'f:') return isFields(value) ? value[rest] : undefined;
  return listOf(value)[indexIn(listOf(value), element)];
}

function indexIn(list: readonly unknown[], element: string): number {
  const wanted: unknown = JSON.parse(element.slice(2));
  if (!element.startsWith('k:') || !isFields(wanted)) return list.indexOf(wanted);
  const keys = Object.keys(wanted);
  return list.findIndex((item) => isDeepStrictEqual(keyOf(item, keys), wanted));
}

/** Whether a path is of a list item, of which only the presence counts. */
export function isItem(path: string): boolean {
  return /^[kv]:/.test(elementsOf(path).at(-1) ?? '');
}

/** Whether a set has a path or anything below it. */
export function covers(set: FieldSet, path: string): boolean {
  if (set.has(path)) return true;
  const prefix = path + separator;
  for (const each of set) if (each.startsWith(prefix)) return true;
  return false;
}

/**
 * Takes a field away, and what becomes empty by that.
 *
 * @returns The new value; `undefined` if nothing is left of it.
 */
export function withoutPath(value: unknown, path: readonly string[]): unknown {
  const [element = '', ...rest] = path;
  const member = memberOf(value, element);
  if (member === undefined) return value;
  const left = rest.length > 0 ? withoutPath(member, rest) : undefined;
  if (isFields(value)) {
    const { [element.slice(2)]: _gone, ...others } = value;
    const next = left === undefined ? others : { ...value, [element.slice(2)]: left };
    return Object.keys(next).length > 0 ? next : undefined;
  }
  const list = listOf(value);
  const next = list.toSpliced(indexIn(list, element), 1, ...(left === undefined ? [] : [left]));
  return next.length > 0 ? next : undefined;
}

/** A path as the API says it to people: `.spec.containers[name="x"].image`. */
export function describePath(path: string): string {
  return elementsOf(path).map(describeElement).join('');
}

function describeElement(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  const value: unknown = JSON.parse(rest);
  if (!isFields(value)) return `[=${rest}]`;
  const keys = Object.entries(value).map(([key, each]) => `${key}=${JSON.stringify(each)}`);
  return `[${keys.join(',')}]`;
}
