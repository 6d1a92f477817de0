import { readBody } from './exchange.ts';
import type { Fields, StoredObject } from './object.ts';
import { fieldsOf, isFields } from './object.ts';
import { selectorOf } from './selectors.ts';
import { badRequest, notFound } from './status.ts';
import type { StoreDeleteOptions } from './store.ts';
import type { WriteRequest } from './write.ts';

/** DELETE on one object. @returns What the client gets: a Status, or the object that goes on for a while. */
export async function deleteObject(write: WriteRequest): Promise<Fields> {
  const { context, exchange, resource, namespace, type } = write;
  const name = exchange.info.target?.name ?? '';
  const { options, isDry } = await deleteOptionsOf(write);
  const current = context.store.get(resource, namespace, name);
  if (!current) throw notFound({ resource, name });
  const left = isDry ? current : context.store.delete(resource, namespace, name, options);
  if (context.store.findByUid(left.metadata.uid) && !isDry) return left;
  const { uid } = left.metadata;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(type.group ? { group: type.group } : {}), kind: type.plural, uid },
  };
}

/** DELETE on a collection. @returns What was there. */
export async function deleteCollection(write: WriteRequest): Promise<StoredObject[]> {
  const { context, exchange, resource, namespace } = write;
  const { options, isDry } = await deleteOptionsOf(write);
  const chosen = context.store.list(resource, namespace).filter(selectorOf(exchange.info.query));
  for (const { metadata } of isDry ? [] : chosen) {
    context.store.delete(resource, metadata.namespace, metadata.name, options);
  }
  return chosen;
}

const policies = ['Background', 'Foreground', 'Orphan'] as const;

async function deleteOptionsOf({
  exchange,
}: WriteRequest): Promise<{ options: StoreDeleteOptions; isDry: boolean }> {
  const body = fieldsOf(await readBody(exchange.request));
  const { query } = exchange.info;
  const seconds = body['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds');
  const policy = body['propagationPolicy'] ?? query.get('propagationPolicy');
  const known = policies.find((each) => each === policy);
  if (policy && !known)
    throw badRequest(`Cannot delete: propagationPolicy is ${JSON.stringify(policy)}`);
  const isDry = [body['dryRun'], query.get('dryRun')].flat().includes('All');
  const { preconditions } = body;
  return {
    isDry,
    options: {
      gracePeriodSeconds: typeof seconds === 'number' || seconds ? Number(seconds) : undefined,
      propagationPolicy: known,
      preconditions: isFields(preconditions) ? preconditions : undefined,
    },
  };
}
