import { resourceTypes } from '../kubernetes/index.ts';
import { names, speaksPlainHttp } from '../resource/index.ts';
import type { Place } from './look.ts';
import { sightingOf } from './look.ts';
import { refuseEndpoint, unresolved } from './provider.ts';
import type { Provider } from './provider.ts';
import { pullingOf, serviceHost } from './service.ts';
import type { Service } from './service.ts';

/** The port of the simple registry's Service. */
export const simplePort = 5000;

/** The registry that `reposure simple install` installs, in the Registry's own namespace. */
export const simple: Provider = {
  name: 'simple',
  summary: 'what `reposure simple install` installed in this namespace',
  resolve: async (registry, kubernetes) => {
    const { spec, metadata } = registry;
    const { namespace } = metadata;
    refuseEndpoint(registry);
    const found = await kubernetes.find<Service>(resourceTypes.Service, names.simple, namespace);
    if (found === undefined) {
      throw unresolved(
        registry,
        'ServiceNotFound',
        `there is no Service ${namespace}/${names.simple}; install it: reposure simple install -n ${namespace}`,
      );
    }
    const pushHost = serviceHost(names.simple, namespace, simplePort);
    const step = `give it a node port: reposure simple install -n ${namespace}, with --node-port beside the options that it was installed with`;
    return {
      provider: 'simple',
      pushHost,
      ...pullingOf(registry, pushHost, { found, port: simplePort }, step),
      insecure: speaksPlainHttp(spec, 'simple'),
    };
  },
  sight: async ({ metadata }, kubernetes) => sightingOf(kubernetes, placeIn(metadata.namespace)),
};

function placeIn(namespace: string): Place {
  return { type: resourceTypes.Service, namespace, name: names.simple };
}
