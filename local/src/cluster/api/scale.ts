import { contentTypeOf, readBody, sendJson } from './exchange.ts';
import type { Fields, StoredObject } from './object.ts';
import { fieldsOf } from './object.ts';
import { patchDocument } from './patch.ts';
import { badRequest, methodNotAllowed, notFound } from './status.ts';
import { commitUpdate } from './write.ts';
import type { WriteRequest } from './write.ts';

/** `…/scale`: the number of replicas as an object of its own. */
export async function serveScale(write: WriteRequest): Promise<void> {
  const { context, exchange, resource, namespace } = write;
  const name = exchange.info.target?.name ?? '';
  const { verb } = exchange.info;
  const body = verb === 'get' ? undefined : await readBody(exchange.request);
  const current = context.store.get(resource, namespace, name);
  if (!current) throw notFound({ resource, name });
  if (verb === 'get') {
    sendJson(exchange.response, 200, scaleOf(current));
    return;
  }
  const wanted = wantedScale(write, current, body);
  const replicas = fieldsOf(fieldsOf(wanted)['spec'])['replicas'] ?? 0;
  if (!Number.isInteger(replicas)) throw badRequest('Cannot scale: want a number in spec.replicas');
  const spec = { ...fieldsOf(current['spec']), replicas };
  const { resourceVersion = '' } = fieldsOf(fieldsOf(wanted)['metadata']) as {
    resourceVersion?: string;
  };
  const metadata = { ...current.metadata, resourceVersion };
  const next = commitUpdate(write, current, { ...current, metadata, spec }, false);
  sendJson(exchange.response, 200, scaleOf(next));
}

function wantedScale(write: WriteRequest, current: StoredObject, body: unknown): unknown {
  const { verb } = write.exchange.info;
  if (verb === 'update') return body;
  if (verb !== 'patch') throw methodNotAllowed();
  const type = contentTypeOf(write.exchange.request);
  return patchDocument(type, write, scaleOf(current), body);
}

function scaleOf({ metadata, spec, status }: StoredObject): Fields {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const { replicas = 0, selector } = fieldsOf(spec);
  const labels = Object.entries(fieldsOf(fieldsOf(selector)['matchLabels']));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas },
    status: {
      replicas: fieldsOf(status)['replicas'] ?? 0,
      selector: labels.map(([key, value]) => `${key}=${value as string}`).join(','),
    },
  };
}
