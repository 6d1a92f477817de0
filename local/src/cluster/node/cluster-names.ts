import type { Store } from '../api/store.ts';
import type { Endpoints, Service } from './objects.ts';

/** Every name of the cluster's DNS: `service.namespace`, and `pod.service.namespace` of headless ones. */
export function clusterNames(store: Store): Record<string, string[]> {
  const names: Record<string, string[]> = {};
  for (const service of store.peekAll('services') as Service[]) {
    const { name, namespace } = service.metadata;
    const { clusterIP } = service.spec;
    if (clusterIP === 'None') addHeadless(names, store, service);
    else if (clusterIP) names[`${name}.${namespace}`] = [clusterIP];
  }
  return names;
}

function addHeadless(names: Record<string, string[]>, store: Store, { metadata }: Service): void {
  const { name, namespace } = metadata;
  const endpoints: Endpoints | undefined = store.peek('endpoints', namespace, name);
  const addresses = (endpoints?.subsets ?? []).flatMap((subset) => subset.addresses ?? []);
  if (addresses.length > 0) names[`${name}.${namespace}`] = addresses.map(({ ip }) => ip);
  for (const { ip, hostname } of addresses) {
    if (hostname) names[`${hostname}.${name}.${namespace}`] = [ip];
  }
}
