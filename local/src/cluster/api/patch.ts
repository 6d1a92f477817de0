import { contentTypeOf, readBody } from './exchange.ts';
import { applyJsonPatch, applyMergePatch } from './json-patch.ts';
import type { GivenObject, StoredObject } from './object.ts';
import { isFields } from './object.ts';
import { forbidden, isAllowed } from './rbac.ts';
import { isTrue } from './request-info.ts';
import { applyConfiguration } from './server-side-apply.ts';
import { badRequest, conflict, invalid, notFound, StatusError } from './status.ts';
import { timestamp } from './store.ts';
import { applyStrategicMergePatch } from './strategic-merge.ts';
import { commitCreate, commitUpdate, givenObject, scopeOf, writerOf } from './write.ts';
import type { WriteRequest } from './write.ts';

/** What a patch led to. */
export interface Patched {
  readonly object: StoredObject;
  /** Whether there was no object before; only server-side apply makes one. */
  readonly isNew: boolean;
}

/**
 * Changes an object as the body says, by its content type.
 *
 * @throws {StatusError} 400, 404, 409, 415 or 422.
 */
export async function patchObject(write: WriteRequest): Promise<Patched> {
  const { context, exchange, resource, namespace } = write;
  const name = exchange.info.target?.name ?? '';
  const type = contentTypeOf(exchange.request);
  const body = await readBody(exchange.request);
  const current = context.store.get(resource, namespace, name);
  if (type === 'application/apply-patch+yaml' || type === 'application/apply-patch+json') {
    return apply(write, current, body);
  }
  if (!current) throw notFound({ resource, name });
  const patched = patchedBy(type, write, current, body);
  return { object: commitUpdate(write, current, patched, false), isNew: false };
}

function patchedBy(
  type: string,
  write: WriteRequest,
  current: StoredObject,
  body: unknown,
): GivenObject {
  const patched = patchDocument(type, write, current, body);
  if (!isFields(patched)) throw badRequest('Cannot apply patch: its result is no object');
  return givenObject(write, patched);
}

/** Applies a patch by its content type. @throws {StatusError} 400, 415 or 422 */
export function patchDocument(
  type: string,
  write: WriteRequest,
  document: unknown,
  body: unknown,
): unknown {
  switch (type) {
    case 'application/json-patch+json':
      return applyJsonPatch(document, body);
    case 'application/merge-patch+json':
      return applyMergePatch(document, body);
    case 'application/strategic-merge-patch+json':
      if (write.context.custom.versionOf(write.type)) break;
      return applyStrategicMergePatch(document, body);
    default:
      break;
  }
  throw new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml (found ${type})`,
  );
}

function apply(write: WriteRequest, current: StoredObject | undefined, body: unknown): Patched {
  const { query, target } = write.exchange.info;
  if (!query.get('fieldManager')) {
    throw invalid('PatchOptions.meta.k8s.io', '', [
      { field: 'fieldManager', message: 'Required value: is required for apply patch' },
    ]);
  }
  if (!isFields(body)) throw badRequest('Cannot apply: found no object in the body');
  const given = givenObject(write, body);
  const { resourceVersion, uid } = given.metadata;
  const named = { resource: write.resource, name: target?.name ?? '' };
  if (!current && (write.subresource || uid)) throw notFound(named);
  if (current && resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
    throw conflict(named, 'the object has been modified; please apply your changes again');
  }
  delete given.metadata.resourceVersion;
  const applied = applyConfiguration(current, given, {
    writer: writerOf(write, 'Apply'),
    scope: scopeOf(write),
    force: isTrue(query.get('force')),
    time: timestamp(),
  });
  return current
    ? { object: commitUpdate(write, current, applied, true), isNew: false }
    : { object: create(write, applied), isNew: true };
}

/** Whoever applies what is not there yet makes it: the right to patch is not enough. */
function create(write: WriteRequest, object: GivenObject): StoredObject {
  const { context, exchange, type, namespace } = write;
  const { user, info } = exchange;
  const { group, plural: resource } = type;
  const attributes = { verb: 'create', group, resource, namespace, name: info.target?.name };
  if (!isAllowed(context.store, user, attributes)) throw forbidden(user, attributes);
  return commitCreate(write, object, true);
}
