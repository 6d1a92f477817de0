import { InputError } from '../errors.ts';
import type { Log } from '../log.ts';
import { parseReference } from '../oci/index.ts';
import type { Reference } from '../oci/index.ts';
import type { DirectOptions } from '../registry/index.ts';
import type { Route } from '../surrogate/index.ts';

/** How registries outside the cluster are reached: straight from here. */
export interface RemoteAccess extends Pick<DirectOptions, 'ca' | 'credentials' | 'proxies'> {
  /** Plain HTTP, login included; only ever because a person wrote it, for localhost, too. */
  readonly insecure?: boolean | undefined;
  readonly log?: Log | undefined;
}

const scheme = 'docker://';
const hubNames = new Set(['docker.io', 'index.docker.io']);
const hubHost = 'registry-1.docker.io';

/** Whether a person means an image in a registry that is reached straight from here. */
export function isRemote(text: string): boolean {
  return text.startsWith(scheme);
}

/**
 * Parses `docker://HOST/REPOSITORY[:tag][@digest]`. Docker Hub has to be named, as `docker.io`;
 * there, a name without a slash lies in `library`.
 *
 * @returns Its `registry` is the host that answers.
 * @throws {InputError} if it is something else.
 */
export function parseRemote(text: string): Reference {
  try {
    const reference = parseReference(text.slice(scheme.length));
    const { registry, repository } = reference;
    if (registry !== hubHost && !hubNames.has(registry)) return reference;
    const path = repository.includes('/') ? repository : `library/${repository}`;
    return { ...reference, registry: hubHost, repository: path };
  } catch (cause) {
    throw new InputError(
      `Cannot use "${text}": want docker://HOST/REPOSITORY[:tag][@digest]; Docker Hub is docker://docker.io/…`,
      { cause },
    );
  }
}

/**
 * The way to a registry outside the cluster. Nothing is asked before the first request.
 *
 * @param registry `host[:port]`
 * @throws {InputError} if the host or the CA is not one.
 */
export async function remoteRoute(registry: string, access: RemoteAccess = {}): Promise<Route> {
  // Its HTTP client is loaded only where it is used: it costs a third of a short process's start.
  const { directTransport } = await import('../registry/direct.ts');
  const { ca, credentials, proxies, log, insecure = false } = access;
  const transport = directTransport({
    host: registry,
    insecure,
    ...(ca === undefined ? {} : { ca }),
    ...(credentials ? { credentials } : {}),
    ...(proxies ? { proxies } : {}),
    ...(log ? { log } : {}),
  });
  return {
    via: 'direct',
    reason: `${registry} is named by itself`,
    request: transport,
    close: () => transport.close(),
  };
}
