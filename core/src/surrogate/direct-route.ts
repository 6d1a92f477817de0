import { InputError } from '../errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { resourceTypes } from '../kubernetes/resource-types.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { directTransport } from '../registry/index.ts';
import type { CredentialSource, DirectOptions } from '../registry/index.ts';
import { isOpenShift, loginSecretOf, names, speaksPlainHttp } from '../resource/registry.ts';
import type { Registry } from '../resource/registry.ts';
import { loginOf } from './login-secret.ts';
import type { Secret } from './login-secret.ts';
import { registryCa } from './registry-ca.ts';
import type { Route } from './route.ts';
import { nextStepFor } from './surrogate-pod.ts';

/** What the caller trusts and logs in with by itself, such as files that a pipeline mounted. */
export interface OwnAccess {
  /** PEM, instead of the CA in the Registry's Secret. */
  readonly ca?: string | undefined;
  /** Asked first; the Registry's Secret counts where it has no login for the host. */
  readonly credentials?: CredentialSource | undefined;
}

/** What a direct route is opened with. */
export interface DirectRouteOptions {
  /** The cluster of the Registry resource: its Secrets are read there. */
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
  readonly own?: OwnAccess | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Log | undefined;
  readonly reason?: string;
}

/**
 * The way straight from here, with the CA and the login that the Registry resource names.
 *
 * @throws {InputError} if the resource names no host, or a Secret does not hold what it should.
 * @throws {KubernetesError} if a Secret may not be read, or is not there.
 */
export async function directRoute(options: DirectRouteOptions): Promise<Route> {
  const { registry, log = silent } = options;
  const transport = directTransport({
    host: hostOf(registry),
    ...(await credentialsOf(options)),
    log,
  } satisfies DirectOptions);
  return {
    via: 'direct',
    reason: options.reason ?? 'asked for',
    request: transport,
    close: () => transport.close(),
  };
}

async function credentialsOf(
  options: DirectRouteOptions,
): Promise<Pick<DirectOptions, 'ca' | 'credentials' | 'insecure'>> {
  const { registry } = options;
  const { spec, status } = registry;
  // OpenShift's has TLS whatever is written: a token of its cluster is never sent in the clear.
  const insecure =
    !isOpenShift(registry) && speaksPlainHttp(spec, status?.provider ?? spec.provider);
  const ca = insecure ? undefined : (options.own?.ca ?? (await registryCa(options)));
  const credentials = (await loginFor(options, insecure)) ?? (await ownTokenFor(registry));
  return {
    insecure,
    ...(ca === undefined ? {} : { ca }),
    ...(credentials ? { credentials } : {}),
  };
}

/** Over plain HTTP only where a person wrote that everybody on the way may read it. */
async function loginFor(
  options: DirectRouteOptions,
  insecure: boolean,
): Promise<CredentialSource | undefined> {
  const { own, registry, log = silent } = options;
  const name = loginSecretOf(registry.spec);
  const given = await ownLogin(options);
  if ((given ?? name) !== undefined && insecure && registry.spec.insecure !== true) {
    log.warn('no login is sent: the registry speaks plain HTTP, and spec.insecure is not true');
    return undefined;
  }
  if (given) return own?.credentials;
  const login = await secretNamed(name, options);
  return login && loginOf(login, registry);
}

/** The login that the caller has for this host; said where it has logins for others only. */
async function ownLogin({ own, registry, log = silent }: DirectRouteOptions): Promise<unknown> {
  if (!own?.credentials) return undefined;
  const host = hostOf(registry);
  const found = await own.credentials(host);
  if (!found) log.info(`The docker config that was given has no login for ${host}`);
  return found;
}

/** OpenShift takes the token of its cluster, where the Registry refers to no other login. */
async function ownTokenFor(registry: Registry): Promise<CredentialSource | undefined> {
  if (!isOpenShift(registry) || loginSecretOf(registry.spec) !== undefined) return undefined;
  const { ownToken } = await import('./openshift-direct.ts');
  return ownToken();
}

function hostOf(registry: Registry): string {
  const { spec, status } = registry;
  const { namespace } = registry.metadata;
  if (status?.pushHost) return status.pushHost;
  if (spec.direct) return spec.direct.host;
  if (spec.indirect) {
    const { service, port } = spec.indirect;
    return `${service}.${spec.indirect.namespace ?? namespace}.svc:${port}`;
  }
  if (spec.provider === 'simple') return `${names.simple}.${namespace}.svc:5000`;
  throw new InputError(
    `Cannot reach registry ${namespace}/${registry.metadata.name} directly: nobody knows its host yet; ${nextStepFor(registry)}`,
  );
}

async function secretNamed(
  name: string | undefined,
  { kubernetes, registry, signal }: DirectRouteOptions,
): Promise<Secret | undefined> {
  if (name === undefined) return undefined;
  const { namespace } = registry.metadata;
  return await kubernetes.get<Secret>(resourceTypes.Secret, name, namespace, signal);
}
