import { host, resolveHost } from './host.ts';
import type { HostedKind } from './hosted-kind.ts';
import { unresolved } from './provider.ts';
import type { Provider } from './provider.ts';
import { service } from './service.ts';

/** The provider of a product that a person names, and whose place they name, too. */
export function locatedProvider(kind: HostedKind): Provider {
  const { name, summary, hosts, hostForm, loginAdvice } = kind;
  return {
    name,
    summary,
    wantsEndpoint: true,
    resolve: async (registry, kubernetes) => {
      const { direct, indirect } = registry.spec;
      if (direct === undefined && indirect === undefined) {
        throw unresolved(
          registry,
          'NothingToResolve',
          `the provider "${name}" wants to know where: direct.host or indirect.service`,
        );
      }
      const found =
        direct === undefined ? await service.resolve(registry, kubernetes) : resolveHost(registry);
      // A login of one cloud is not to be sent to another by a slip of the pen.
      if (hostForm !== undefined && hosts?.test(found.pushHost.toLowerCase()) !== true) {
        const state = `${found.pushHost} is no host of ${name}; want ${hostForm}, or the provider ${host.name}`;
        throw unresolved(registry, 'HostInvalid', state);
      }
      return { ...found, provider: name, loginAdvice };
    },
  };
}
