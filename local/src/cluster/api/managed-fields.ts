import { isDeepStrictEqual } from 'node:util';

import { fieldSetOf, fieldsV1Of, isItem, parseFieldsV1, valueAtPath } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import type { Typing } from './list-keys.ts';
import type { GivenObject, ManagedFields } from './object.ts';

/** Who writes, and how: two writers that differ in any of it are told apart. */
export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource?: string | undefined;
}

/** What a write may touch. */
export interface WriteScope {
  readonly typing: Typing;
  /** Whether `status` belongs to a subresource: then it is out of reach of every other write. */
  readonly hasStatus: boolean;
}

/** One manager with its fields. */
export interface Ownership extends Manager {
  readonly fields: FieldSet;
  readonly time: string | undefined;
}

const unowned = new Set([
  'f:apiVersion',
  'f:kind',
  'f:metadata',
  ...[
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'resourceVersion',
    'generation',
    'managedFields',
    'selfLink',
  ].map((field) => `f:metadata\0f:${field}`),
]);

/** The fields of an object that somebody can own by writing it in this way. */
export function ownableFields(
  object: GivenObject,
  { typing, hasStatus }: WriteScope,
  subresource: string | undefined,
): Set<string> {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  const all = fieldSetOf({ ...object, metadata }, typing);
  return new Set(
    [...all].filter((path) => {
      if (unowned.has(path)) return false;
      if (subresource === 'status') return isStatus(path);
      return !(hasStatus && isStatus(path));
    }),
  );
}

function isStatus(path: string): boolean {
  return path === 'f:status' || path.startsWith('f:status\0');
}

/** The owners that an object's metadata names. */
export function ownershipsOf(object: GivenObject | undefined): Ownership[] {
  return (object?.metadata.managedFields ?? []).map((entry) => ({
    manager: entry.manager,
    operation: entry.operation,
    apiVersion: entry.apiVersion,
    subresource: entry.subresource,
    time: entry.time,
    fields: parseFieldsV1(entry.fieldsV1 ?? {}),
  }));
}

/** The owners as `metadata.managedFields` has them; who owns nothing is left out. */
export function managedFieldsOf(ownerships: readonly Ownership[]): ManagedFields[] {
  return ownerships.filter(({ fields }) => fields.size > 0).map(entryOf);
}

function entryOf(owner: Ownership): ManagedFields {
  const { manager, operation, apiVersion, subresource, time, fields } = owner;
  return {
    manager,
    operation,
    apiVersion,
    ...(time ? { time } : {}),
    fieldsType: 'FieldsV1',
    fieldsV1: fieldsV1Of(fields),
    ...(subresource ? { subresource } : {}),
  };
}

/** An owner with only those of its fields that pass. */
export function ownerWithFields(owner: Ownership, passes: (path: string) => boolean): Ownership {
  return { ...owner, fields: new Set([...owner.fields].filter(passes)) };
}

/** Whether two entries are of one and the same manager. */
export function isSameManager(a: Manager, b: Manager): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.apiVersion === b.apiVersion &&
    (a.subresource ?? '') === (b.subresource ?? '')
  );
}

/** Whether a field differs between two states of an object; of list items only the presence counts. */
export function isChanged(path: string, before: unknown, after: unknown): boolean {
  const [old, next] = [valueAtPath(before, path), valueAtPath(after, path)];
  if (old === undefined || next === undefined) return old !== next;
  return !isItem(path) && !isDeepStrictEqual(old, next);
}

/**
 * The owners after a plain write: who changes a field owns it from then on, alone.
 *
 * @param after Its managedFields are the ones to start from.
 */
export function ownersAfterUpdate(
  before: GivenObject | undefined,
  after: GivenObject,
  options: { readonly writer: Manager; readonly scope: WriteScope; readonly time: string },
): ManagedFields[] {
  const { writer, scope, time } = options;
  const fields = ownableFields(after, scope, writer.subresource);
  const changed = new Set([...fields].filter((path) => isChanged(path, before, after)));
  const known = ownershipsOf(after);
  const others = known.map((each) =>
    ownerWithFields(
      each,
      (path) =>
        valueAtPath(after, path) !== undefined &&
        (isSameManager(each, writer) || !changed.has(path)),
    ),
  );
  if (changed.size === 0) return managedFieldsOf(others);
  const kept = others.filter((each) => !isSameManager(each, writer));
  const own = others.find((each) => isSameManager(each, writer))?.fields ?? new Set<string>();
  return managedFieldsOf([...kept, { ...writer, time, fields: own.union(changed) }]);
}
