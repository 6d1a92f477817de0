import type { ApiContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { fieldsOf, textOf } from './object.ts';
import { passOn } from './proxy.ts';

const apiServices = 'apiservices.apiregistration.k8s.io';

/**
 * Serves a path of an API that an APIService hands to a Service: HTTPS, unverified, with the name of
 * whoever asks in `X-Remote-User` and `X-Remote-Group`.
 *
 * @returns Whether there is such an APIService.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/
 */
export async function serveAggregated(context: ApiContext, exchange: Exchange): Promise<boolean> {
  const [, root, group, version] = exchange.info.path.split('/');
  if (root !== 'apis' || !group || !version) return false;
  const found = context.store.peek(apiServices, undefined, `${version}.${group}`);
  const service = fieldsOf(fieldsOf(found?.['spec'])['service']);
  const { port = 443 } = service;
  const name = textOf(service['name']);
  if (name === '') return false;
  const { user, request } = exchange;
  await passOn(context, exchange, {
    scheme: 'https',
    target: {
      kind: 'service',
      namespace: textOf(service['namespace']),
      name,
      port: `${Number(port)}`,
    },
    path: request.url ?? '/',
    headers: { 'x-remote-user': user.name, 'x-remote-group': [...user.groups] },
  });
  return true;
}
