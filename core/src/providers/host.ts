import type { Registry } from '../resource/index.ts';
import { hostWanted, isHost, withoutUserinfo } from './host-name.ts';
import { hostedKindOf } from './hosted.ts';
import { asTheSpecSays, nodesNotAsked } from './node-pulling.ts';
import { unresolved } from './provider.ts';
import type { Provider, Resolved } from './provider.ts';

/** `spec.direct`: a registry with a host of its own, anywhere. */
export const host: Provider = {
  name: 'host',
  summary: 'any registry, by its host[:port] (--host)',
  wantsEndpoint: true,
  resolve: async (registry) => resolveHost(registry),
};

/** The registry at `spec.direct.host`, whose product is told by its name where that says it. */
export function resolveHost(registry: Registry): Resolved {
  const { spec } = registry;
  if (spec.direct === undefined || spec.indirect !== undefined) {
    throw spec.direct === undefined
      ? unresolved(registry, 'NothingToResolve', 'the provider "host" wants direct.host')
      : unresolved(registry, 'AmbiguousRegistry', bothNamed);
  }
  const pushHost = requireHost(registry, 'direct.host', spec.direct.host);
  const { name, loginAdvice } = hostedKindOf(pushHost) ?? { name: 'host' };
  return {
    provider: name,
    pushHost,
    // Whoever has a host of its own has one name for Pods and nodes, unless somebody says otherwise.
    pullHost: spec.pullHost ?? pushHost,
    insecure: spec.insecure === true,
    nodes: spec.pullHost === undefined ? nodesNotAsked(pushHost) : asTheSpecSays(spec.pullHost),
    loginAdvice,
  };
}

/** Said of a spec with both fields. */
export const bothNamed = 'it names two registries, direct and indirect; want one of them';

/** A host that a person wrote. @throws {ResolutionError} if it is none. */
export function requireHost(registry: Registry, field: string, text: string): string {
  if (isHost(text)) return text;
  const state = `${field} is "${withoutUserinfo(text)}"; ${hostWanted(text)}`;
  throw unresolved(registry, 'HostInvalid', state);
}
