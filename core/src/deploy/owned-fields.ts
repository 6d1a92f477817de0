import { isDeepStrictEqual } from 'node:util';

import type { KubernetesObject } from '../kubernetes/index.ts';

/**
 * A set of fields, as managedFields has it: `f:name`, `k:{"name":"app"}`, `v:"value"`, `i:0`.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#managedfields
 */
export interface FieldSet {
  readonly [step: string]: FieldSet;
}

interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1?: FieldSet;
}

/** The fields that a manager has applied. */
export function appliedFields(object: KubernetesObject, manager: string): FieldSet {
  const { managedFields = [] } = object.metadata as { managedFields?: readonly ManagedFields[] };
  const own = managedFields.find(
    (entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource,
  );
  return own?.fieldsV1 ?? {};
}

/** The fields of both. */
export function unionOf(a: FieldSet, b: FieldSet): FieldSet {
  const steps = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries(
    [...steps].map((step) => [step, unionOf(a[step] ?? {}, b[step] ?? {})] as const),
  );
}

/**
 * What an object has in these fields: an apply of it, by their manager, brings them back.
 *
 * @param object May lack some of them; they are then left out.
 */
export function configurationOf(object: KubernetesObject, fields: FieldSet): KubernetesObject {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace } = metadata;
  const part = valueIn(object, fields) as Partial<KubernetesObject>;
  return {
    ...part,
    apiVersion,
    kind,
    metadata: { ...part.metadata, name, ...(namespace === undefined ? {} : { namespace }) },
  };
}

function valueIn(value: unknown, fields: FieldSet): unknown {
  const steps = Object.entries(fields).filter(([step]) => step !== '.');
  if (steps.length === 0) return value;
  if (Array.isArray(value)) return itemsIn(value, steps);
  if (typeof value !== 'object' || value === null) return value;
  const entries = steps.flatMap(([step, inner]) => {
    const name = step.slice('f:'.length);
    if (!Object.hasOwn(value, name)) return [];
    return [[name, valueIn((value as Record<string, unknown>)[name], inner)] as const];
  });
  return Object.fromEntries(entries);
}

function itemsIn(items: readonly unknown[], steps: readonly (readonly [string, FieldSet])[]) {
  return items.flatMap((item, index) => {
    const step = steps.find(([text]) => isItem(text, item, index));
    if (!step) return [];
    const [text, inner] = step;
    const part = valueIn(item, inner);
    // An item is found by its key, whoever wrote that.
    return [text.startsWith('k:') ? { ...(part as object), ...keyIn(text) } : part];
  });
}

function isItem(step: string, item: unknown, index: number): boolean {
  if (step.startsWith('i:')) return Number(step.slice(2)) === index;
  if (step.startsWith('v:')) return isDeepStrictEqual(JSON.parse(step.slice(2)), item);
  if (!step.startsWith('k:') || typeof item !== 'object' || item === null) return false;
  const key = keyIn(step);
  return Object.keys(key).every((name) =>
    isDeepStrictEqual(key[name], (item as Record<string, unknown>)[name]),
  );
}

function keyIn(step: string): Record<string, unknown> {
  return JSON.parse(step.slice(2)) as Record<string, unknown>;
}
