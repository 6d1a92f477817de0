import type { ApiContext } from './context.ts';
import { deleteCollection, deleteObject } from './delete.ts';
import { readFields, sendJson } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { StoredObject } from './object.ts';
import { patchObject } from './patch.ts';
import { representationOf } from './representation.ts';
import type { Representation } from './representation.ts';
import { groupVersionOf, storedAs } from './resources.ts';
import type { ApiResource } from './resources.ts';
import { selectorOf } from './selectors.ts';
import { invalid, methodNotAllowed, notFound } from './status.ts';
import { serveWatch } from './watch.ts';
import { commitCreate, commitUpdate, givenObject, writeRequestOf } from './write.ts';

/** Answers a request about stored objects or their status. @throws {StatusError} */
export async function serveObjects(
  context: ApiContext,
  exchange: Exchange,
  type: ApiResource,
): Promise<void> {
  const { request, response, info } = exchange;
  const custom = context.custom.versionOf(type);
  const shown = representationOf(request.headers.accept, info.query, type, custom);
  const write = writeRequestOf(context, exchange, type);
  switch (info.verb) {
    case 'get':
      sendJson(response, 200, shown.one(find(context, exchange, type)));
      return;
    case 'list':
      sendList(context, exchange, type, shown);
      return;
    case 'watch':
      watch(context, exchange, type, shown);
      return;
    case 'create': {
      const object = givenObject(write, await readFields(request));
      sendJson(response, 201, shown.one(commitCreate(write, object, false)));
      return;
    }
    case 'update':
      sendJson(response, 200, shown.one(await replace(context, exchange, type)));
      return;
    case 'patch': {
      const { object, isNew } = await patchObject(write);
      sendJson(response, isNew ? 201 : 200, shown.one(object));
      return;
    }
    case 'delete':
      sendJson(response, 200, await deleteObject(write));
      return;
    case 'deletecollection': {
      const gone = await deleteCollection(write);
      sendJson(response, 200, shown.list(gone, context.store.resourceVersion));
      return;
    }
    default:
      throw methodNotAllowed();
  }
}

function find(context: ApiContext, { info }: Exchange, type: ApiResource): StoredObject {
  const resource = storedAs(type);
  const name = info.target?.name ?? '';
  const found = context.store.peek(resource, info.target?.namespace, name);
  if (!found) throw notFound({ resource, name });
  return found;
}

function sendList(
  { store }: ApiContext,
  { info, response }: Exchange,
  type: ApiResource,
  shown: Representation,
): void {
  const all = store.peekAll(storedAs(type), info.target?.namespace);
  const selected = all.filter(selectorOf(info.query));
  sendJson(response, 200, shown.list(selected, store.resourceVersion));
}

function watch(
  { store }: ApiContext,
  exchange: Exchange,
  type: ApiResource,
  shown: Representation,
): void {
  serveWatch(store, exchange, {
    resource: storedAs(type),
    namespace: exchange.info.target?.namespace,
    apiVersion: groupVersionOf(type),
    kind: type.kind,
    isSelected: selectorOf(exchange.info.query),
    representation: shown,
  });
}

async function replace(
  context: ApiContext,
  exchange: Exchange,
  type: ApiResource,
): Promise<StoredObject> {
  const write = writeRequestOf(context, exchange, type);
  const given = givenObject(write, await readFields(exchange.request));
  const current = structuredClone(find(context, exchange, type));
  if (!given.metadata.resourceVersion && context.custom.versionOf(type)) {
    throw invalid(type.kind, current.metadata.name, [
      {
        field: 'metadata.resourceVersion',
        message: 'Invalid value: 0: must be specified for an update',
      },
    ]);
  }
  return commitUpdate(write, current, given, false);
}
