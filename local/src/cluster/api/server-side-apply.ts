import { isDeepStrictEqual } from 'node:util';

import { covers, describePath, elementsOf, isItem, withoutPath } from './field-set.ts';
import { keyOf } from './list-keys.ts';
import type { Typing } from './list-keys.ts';
import {
  isChanged,
  isSameManager,
  managedFieldsOf,
  ownableFields,
  ownerWithFields,
  ownershipsOf,
} from './managed-fields.ts';
import type { Manager, Ownership, WriteScope } from './managed-fields.ts';
import type { Fields, GivenObject } from './object.ts';
import { fieldsOf, isFields } from './object.ts';
import { StatusError } from './status.ts';

/** How a configuration is applied. */
export interface ApplyOptions {
  readonly writer: Manager;
  readonly scope: WriteScope;
  /** Take over what others own. */
  readonly force: boolean;
  /** As `managedFields` has it. */
  readonly time: string;
}

/**
 * Merges what a manager applies into an object, and takes away what it no longer applies and
 * nobody else owns.
 *
 * @param live `undefined` when there is no object yet.
 * @returns The new object, with its managedFields.
 * @throws {StatusError} 409 if others own what would change, and force was not asked for.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export function applyConfiguration(
  live: GivenObject | undefined,
  applied: GivenObject,
  options: ApplyOptions,
): GivenObject {
  const { writer, scope, force, time } = options;
  const given = configurationOf(applied, scope, writer.subresource);
  const fields = ownableFields(given, scope, writer.subresource);
  const owners = ownershipsOf(live);
  const mine = owners.find((owner) => isSameManager(owner, writer));
  const merged = live ? (mergeValue(live, given, scope.typing, []) as GivenObject) : given;
  const taken = new Set([...fields].filter((path) => isChanged(path, live, merged)));
  const others = owners.filter((owner) => owner !== mine);
  if (!force) refuseConflicts(others, taken);
  const kept = others.map((owner) => ownerWithFields(owner, (path) => !taken.has(path)));
  const pruned = withoutAbandoned(merged, { mine, kept, fields });
  const own: Ownership = { ...writer, fields, time: timeOf(mine, { time, fields, live, pruned }) };
  return {
    ...pruned,
    metadata: { ...pruned.metadata, managedFields: managedFieldsOf([...kept, own]) },
  };
}

// An apply that changes nothing leaves the time as it was, so that it is no write at all.
function timeOf(
  mine: Ownership | undefined,
  now: {
    readonly time: string;
    readonly fields: ReadonlySet<string>;
    readonly live: unknown;
    readonly pruned: unknown;
  },
): string {
  const isSame =
    mine?.time !== undefined &&
    mine.fields.symmetricDifference(now.fields).size === 0 &&
    isDeepStrictEqual(now.live, now.pruned);
  return isSame ? (mine.time ?? now.time) : now.time;
}

function configurationOf(
  applied: GivenObject,
  scope: WriteScope,
  subresource: string | undefined,
): GivenObject {
  const { apiVersion, kind, metadata, ...body } = withoutNulls(applied) as GivenObject;
  const { managedFields: _managedFields, ...meta } = metadata;
  if (subresource === 'status') {
    const { name, namespace } = meta;
    const identity = { ...(name ? { name } : {}), ...(namespace ? { namespace } : {}) };
    return { apiVersion, kind, metadata: identity, status: body['status'] ?? {} };
  }
  if (scope.hasStatus) delete body['status'];
  return { apiVersion, kind, metadata: meta, ...body };
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isFields(value)) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutNulls(inner)]));
}

function mergeValue(
  live: unknown,
  applied: unknown,
  typing: Typing,
  path: readonly string[],
): unknown {
  if (isFields(applied)) {
    if (!isFields(live) || typing.isAtomicMap(path)) return applied;
    const entries = Object.entries(applied).map(([key, value]): [string, unknown] => [
      key,
      mergeValue(live[key], value, typing, [...path, key]),
    ]);
    return { ...live, ...Object.fromEntries(entries) };
  }
  if (!Array.isArray(applied) || !Array.isArray(live)) return applied;
  const kind = typing.listKind(path);
  if (kind === 'atomic') return applied;
  if (kind === 'set') return [...new Set([...live, ...applied])];
  return mergeItems(live, applied, kind, (old, next) => mergeValue(old, next, typing, path));
}

function mergeItems(
  live: readonly unknown[],
  applied: readonly unknown[],
  keys: readonly string[],
  merge: (old: unknown, next: unknown) => unknown,
): unknown[] {
  const result = [...live];
  for (const item of applied) {
    const index = result.findIndex((each) =>
      isDeepStrictEqual(keyOf(each, keys), keyOf(item, keys)),
    );
    if (index === -1) result.push(item);
    else result[index] = merge(result[index], item);
  }
  return result;
}

function withoutAbandoned(
  merged: GivenObject,
  owned: {
    readonly mine: Ownership | undefined;
    readonly kept: readonly Ownership[];
    readonly fields: ReadonlySet<string>;
  },
): GivenObject {
  let result: unknown = merged;
  const abandoned = [...(owned.mine?.fields ?? [])].filter(
    (path) => !covers(owned.fields, path) && !owned.kept.some(({ fields }) => covers(fields, path)),
  );
  // The item of a list first: with it goes everything in it.
  for (const path of abandoned.toSorted((a, b) => a.length - b.length)) {
    result = withoutPath(result, elementsOf(path));
  }
  const object = fieldsOf(result) as Fields & GivenObject;
  return { ...object, metadata: { ...object.metadata } };
}

function refuseConflicts(others: readonly Ownership[], taken: ReadonlySet<string>): void {
  const conflicts = others
    .map((owner) => ({
      owner,
      paths: [...owner.fields].filter((path) => taken.has(path) && !isItem(path)),
    }))
    .filter(({ paths }) => paths.length > 0);
  const causes = conflicts.flatMap(({ owner, paths }) =>
    paths.map((path) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${describeOwner(owner)}`,
      field: describePath(path),
    })),
  );
  if (causes.length === 0) return;
  const said = conflicts.map(({ owner, paths }) => describeConflict(owner, paths)).join('\n');
  const count = `${causes.length} conflict${causes.length === 1 ? '' : 's'}`;
  throw new StatusError(409, 'Conflict', `Apply failed with ${count}: ${said}`, { causes });
}

function describeOwner({ manager, apiVersion, subresource }: Manager): string {
  const through = subresource ? ` with subresource "${subresource}"` : '';
  return `"${manager}"${through} using ${apiVersion}`;
}

function describeConflict(owner: Ownership, paths: readonly string[]): string {
  const [only = ''] = paths;
  if (paths.length === 1) return `conflict with ${describeOwner(owner)}: ${describePath(only)}`;
  const lines = paths.map((path) => `- ${describePath(path)}`);
  return [`conflicts with ${describeOwner(owner)}:`, ...lines].join('\n');
}
