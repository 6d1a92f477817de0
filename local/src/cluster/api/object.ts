/** Who set which fields, as server-side apply keeps it. @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
export interface ManagedFields {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  time?: string;
  fieldsType: 'FieldsV1';
  fieldsV1: Record<string, unknown>;
  subresource?: string;
}

/** An object's owner; when its last owner is gone, the object goes too. */
interface StoredOwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** The metadata of an object that the store holds: what the server sets is there. */
export interface StoredMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  finalizers?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: StoredOwnerReference[];
  managedFields?: ManagedFields[];
  [field: string]: unknown;
}

/** An object of the API as the store holds it. */
export interface StoredObject {
  apiVersion: string;
  kind: string;
  metadata: StoredMeta;
  [field: string]: unknown;
}

/** An object as a client sends it: the server fills in the rest. */
export interface GivenObject {
  apiVersion: string;
  kind: string;
  metadata: Partial<StoredMeta>;
  [field: string]: unknown;
}

/** A change, in the order in which changes happened; `object` is frozen and shared. */
export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** `pods`, `deployments.apps`, `registries.reposure.puccini.cloud` */
  readonly resource: string;
  readonly object: StoredObject;
  /** What it was before, if it was changed. */
  readonly previous?: StoredObject | undefined;
}

/** Any JSON object. */
export type Fields = Record<string, unknown>;

/** Whether a value is a JSON object: neither null nor a list. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value itself if it is a JSON object, else an empty one. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** The value itself if it is a list, else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value itself if it is a text, else the fallback. */
export function textOf(value: unknown, fallback = ''): string {
  return typeof value === 'string' ? value : fallback;
}

/** The resource `plural[.group]` that the store files objects under. */
export function resourceOf(plural: string, group: string): string {
  return group ? `${plural}.${group}` : plural;
}

/** Freezes a value and everything in it, so that what is shared cannot be changed by accident. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
