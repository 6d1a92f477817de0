import { resourceTypes } from '../kubernetes/index.ts';
import { names, tlsSecretOf } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { describeRegistry, ResolutionError } from './provider.ts';
import type { Provider } from './provider.ts';
import { nodeHostOf, serviceHost } from './service.ts';
import type { Service } from './service.ts';

/** The port of the simple registry's Service. */
export const simplePort = 5000;

/** The registry that `reposure simple install` installs, in the Registry's own namespace. */
export const simple: Provider = {
  name: 'simple',
  resolve: async (registry, kubernetes) => {
    const { spec, metadata } = registry;
    const { namespace } = metadata;
    refuseOther('direct', registry);
    refuseOther('indirect', registry);
    const found = await kubernetes.find<Service>(resourceTypes.Service, names.simple, namespace);
    if (found === undefined) {
      throw new ResolutionError(
        'ServiceNotFound',
        `Cannot resolve ${describeRegistry(registry)}: there is no Service ${namespace}/${names.simple}; install it: reposure simple install -n ${namespace}`,
      );
    }
    return {
      provider: 'simple',
      pushHost: serviceHost(names.simple, namespace, simplePort),
      pullHost: spec.pullHost ?? nodeHostOf(found, simplePort),
      // Without TLS the simple registry speaks plain HTTP; its Pods have no other way.
      insecure: spec.insecure === true || tlsSecretOf(spec) === undefined,
    };
  },
};

/** Whoever names two registries means one of them, and nobody knows which. */
function refuseOther(field: 'direct' | 'indirect', registry: Registry): void {
  if (registry.spec[field] === undefined) return;
  throw new ResolutionError(
    'AmbiguousRegistry',
    `Cannot resolve ${describeRegistry(registry)}: it names two registries, provider: simple and ${field}; want one of them`,
  );
}
