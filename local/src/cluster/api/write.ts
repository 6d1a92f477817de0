import { randomInt } from 'node:crypto';

import { admit, admitName, admitNamespace } from './admission.ts';
import type { ApiContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { builtInTyping } from './list-keys.ts';
import { ownersAfterUpdate } from './managed-fields.ts';
import type { Manager, WriteScope } from './managed-fields.ts';
import type { GivenObject, StoredObject } from './object.ts';
import { fieldsOf } from './object.ts';
import { groupVersionOf, storedAs } from './resources.ts';
import type { ApiResource } from './resources.ts';
import { badRequest, invalid } from './status.ts';
import { timestamp } from './store.ts';

/** One write on its way into the store. */
export interface WriteRequest {
  readonly context: ApiContext;
  readonly exchange: Exchange;
  readonly type: ApiResource;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly subresource: string | undefined;
}

/** What a request to write says. */
export function writeRequestOf(
  context: ApiContext,
  exchange: Exchange,
  type: ApiResource,
): WriteRequest {
  const { namespace, subresource } = exchange.info.target ?? {};
  return { context, exchange, type, resource: storedAs(type), namespace, subresource };
}

/** Whether the write is to be tried only. */
function isDryRun({ exchange }: WriteRequest): boolean {
  return exchange.info.query.get('dryRun') === 'All';
}

/** Who writes, for managedFields. */
export function writerOf(write: WriteRequest, operation: 'Apply' | 'Update'): Manager {
  const { exchange, type, subresource } = write;
  const agent = exchange.request.headers['user-agent']?.split('/')[0];
  return {
    manager: exchange.info.query.get('fieldManager') || agent || 'unknown',
    operation,
    apiVersion: groupVersionOf(type),
    ...(subresource === 'status' ? { subresource } : {}),
  };
}

/** What a write to this type may touch. */
export function scopeOf({ context, type, resource }: WriteRequest): WriteScope {
  return {
    typing: context.custom.versionOf(type)?.typing ?? builtInTyping,
    hasStatus: context.store.statusResources.has(resource),
  };
}

/** The object that a body holds, with the type and the place that the path says. @throws {StatusError} 400 */
export function givenObject(write: WriteRequest, body: unknown): GivenObject {
  const { type } = write;
  const { apiVersion, kind, metadata, ...rest } = fieldsOf(body);
  const expected = groupVersionOf(type);
  if ((apiVersion ?? expected) !== expected || (kind ?? type.kind) !== type.kind) {
    throw badRequest(
      `the object provided is unrecognized: found ${apiVersion as string} ${kind as string}; want ${expected} ${type.kind}`,
    );
  }
  return {
    apiVersion: expected,
    kind: type.kind,
    metadata: placed(write, { ...fieldsOf(metadata) }),
    ...rest,
  };
}

function placed(
  { type, namespace, exchange }: WriteRequest,
  metadata: GivenObject['metadata'],
): GivenObject['metadata'] {
  const name = exchange.info.target?.name ?? metadata.name;
  if (metadata.name && metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if (name) metadata.name = name;
  if (!type.namespaced) delete metadata.namespace;
  else if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  } else if (namespace) metadata.namespace = namespace;
  return metadata;
}

/** Stores a new object. @param isApplied Whether its managedFields are made up already. */
export function commitCreate(
  write: WriteRequest,
  object: GivenObject,
  isApplied: boolean,
): StoredObject {
  const { context, type, resource, namespace } = write;
  const { store } = context;
  if (type.namespaced && !namespace) throw badRequest('an object of this kind needs a namespace');
  if (type.namespaced && namespace) admitNamespace(store, namespace, type.plural);
  const { generateName } = object.metadata;
  if (!object.metadata.name && generateName) object.metadata.name = generateName + suffix();
  const { name } = object.metadata;
  if (!name) {
    throw invalid(type.kind, '', [
      { field: 'metadata.name', message: 'Required value: name or generateName is required' },
    ]);
  }
  admitName(type, name);
  if (object.metadata.resourceVersion) {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  if (scopeOf(write).hasStatus) delete object['status'];
  letIn(write, object, undefined);
  if (!isApplied) recordWriter(write, object, undefined);
  return store.create(resource, object, { dryRun: isDryRun(write) });
}

/** Stores a changed object. @param isApplied Whether its managedFields are made up already. */
export function commitUpdate(
  write: WriteRequest,
  current: StoredObject,
  given: GivenObject,
  isApplied: boolean,
): StoredObject {
  const { context, resource, subresource } = write;
  const object = subresource === 'status' ? withStatusOf(current, given) : given;
  const isOutdated = (object.metadata.resourceVersion ?? '') !== current.metadata.resourceVersion;
  // What comes too late is refused as that, and not for what else is wrong with it.
  if (!object.metadata.resourceVersion || !isOutdated) letIn(write, object, current);
  if (!isApplied) recordWriter(write, object, current);
  return context.store.update(resource, object, { subresource, dryRun: isDryRun(write) });
}

function withStatusOf(current: StoredObject, given: GivenObject): GivenObject {
  const { status: _status, ...rest } = structuredClone(current);
  const { resourceVersion, managedFields } = given.metadata;
  const metadata: GivenObject['metadata'] = { ...rest.metadata };
  if (managedFields) metadata.managedFields = managedFields;
  if (resourceVersion) metadata.resourceVersion = resourceVersion;
  else delete metadata.resourceVersion;
  const status = given['status'] === undefined ? {} : { status: given['status'] };
  return { ...rest, metadata, ...status };
}

function letIn(write: WriteRequest, object: GivenObject, current: StoredObject | undefined): void {
  const { context, exchange, type } = write;
  const warnings: string[] = [];
  admit(context, {
    type,
    object,
    current,
    fieldValidation: exchange.info.query.get('fieldValidation') || 'Warn',
    warn: (message) => warnings.push(`299 - ${JSON.stringify(message)}`),
  });
  if (warnings.length > 0) exchange.response.setHeader('Warning', warnings);
}

// A client sends the managedFields that it read; empty ones are a reset, as in the real API.
function recordWriter(
  write: WriteRequest,
  object: GivenObject,
  current: StoredObject | undefined,
): void {
  const given = object.metadata.managedFields;
  const isReset = given?.length === 0 || given?.every((entry) => Object.keys(entry).length === 0);
  if (isReset) object.metadata.managedFields = [];
  else if (!given && current?.metadata.managedFields) {
    object.metadata.managedFields = structuredClone(current.metadata.managedFields);
  }
  object.metadata.managedFields = ownersAfterUpdate(current, object, {
    writer: writerOf(write, 'Update'),
    scope: scopeOf(write),
    time: timestamp(),
  });
}

const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';

function suffix(): string {
  return Array.from({ length: 5 }, () => suffixLetters[randomInt(suffixLetters.length)]).join('');
}
