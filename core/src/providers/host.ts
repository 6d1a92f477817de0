import { describeRegistry, ResolutionError } from './provider.ts';
import type { Provider } from './provider.ts';

const hostPattern = /^(?:[\w-]+(?:\.[\w-]+)*\.?|\[[\da-f:]+\])(?::(\d{1,5}))?$/i;

/** `spec.direct`: a registry with a host of its own, anywhere. */
export const host: Provider = {
  name: 'host',
  resolve: async (registry) => {
    const { spec } = registry;
    const pushHost = spec.direct?.host;
    if (pushHost === undefined) {
      throw new ResolutionError(
        'NothingToResolve',
        `Cannot resolve ${describeRegistry(registry)}: the provider "host" wants direct.host`,
      );
    }
    if (!isHost(pushHost)) {
      throw new ResolutionError(
        'HostInvalid',
        `Cannot resolve ${describeRegistry(registry)}: direct.host is "${withoutUserinfo(pushHost)}"; want host[:port], without scheme, path or user`,
      );
    }
    return {
      provider: 'host',
      pushHost,
      // Whoever has a host of its own has one name for Pods and nodes, unless somebody says otherwise.
      pullHost: spec.pullHost ?? pushHost,
      insecure: spec.insecure === true,
    };
  },
};

/** Whether `text` is `host` or `host:port` and nothing more. */
export function isHost(text: string): boolean {
  const matched = hostPattern.exec(text);
  return matched !== null && Number(matched[1] ?? 1) >= 1 && Number(matched[1] ?? 1) <= 65_535;
}

/** Somebody may have pasted a URL with a password into it. */
function withoutUserinfo(text: string): string {
  return text.replace(/[^/@]*@/, '***@');
}
