import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import { loginSecretOf, tlsSecretOf } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { CredentialsError } from './credentials-error.ts';
import type { CredentialsReason, Secret } from './credentials-error.ts';
import { loginOf } from './login.ts';
import type { Login } from './login.ts';
import type { Resolved } from './provider.ts';
import { accountLoginOf, missingOnOpenShift, serviceCaTrustOf } from './service-account.ts';
import type { AccountLogin, ServiceCaTrust } from './service-account.ts';
import { trustOf } from './trust.ts';
import type { Trust } from './trust.ts';

/** What a surrogate is given to trust its registry and to log in to it. */
export interface Credentials {
  readonly trust?: Trust | undefined;
  readonly login?: Login | undefined;
  /** On OpenShift, unless the Registry refers to a Secret instead. */
  readonly serviceCa?: ServiceCaTrust | undefined;
  readonly account?: AccountLogin | undefined;
  /** Why the login that the Registry refers to is not used, or what is still missing. */
  readonly refusal?: CredentialsError | undefined;
}

/**
 * Reads the Secrets that a Registry refers to, in its own namespace.
 *
 * A login that must not be used is left out, and `refusal` says why: a surrogate that has it loses
 * it. A Secret that is missing may be about to come back, and nothing is right until it has.
 *
 * @throws {CredentialsError} if a Secret is missing, or there is no certificate to trust in one.
 */
export async function credentialsOf(
  registry: Registry,
  resolved: Resolved,
  kubernetes: KubernetesClient,
): Promise<Credentials> {
  const { spec } = registry;
  const tlsName = resolved.insecure ? undefined : tlsSecretOf(spec);
  const tls = await read(tlsName, registry, kubernetes, 'TlsSecretNotFound');
  const login = await read(loginSecretOf(spec), registry, kubernetes, 'LoginSecretNotFound');
  return {
    ...(resolved.isOpenShift && (await ofOpenShift(registry, kubernetes))),
    ...(tls && { trust: trustOf(tls, spec) }),
    ...(login && admit(login, registry, resolved)),
  };
}

/** What OpenShift gives by itself, wherever the Registry refers to nothing else. */
async function ofOpenShift(
  registry: Registry,
  kubernetes: KubernetesClient,
): Promise<Pick<Credentials, 'account' | 'refusal' | 'serviceCa'>> {
  const serviceCa = tlsSecretOf(registry.spec) === undefined;
  const account = loginSecretOf(registry.spec) === undefined;
  return {
    ...(serviceCa && { serviceCa: serviceCaTrustOf(registry) }),
    ...(account && { account: accountLoginOf(registry) }),
    refusal: await missingOnOpenShift(registry, kubernetes, { serviceCa, account }),
  };
}

function admit(
  secret: Secret,
  registry: Registry,
  resolved: Resolved,
): Pick<Credentials, 'login' | 'refusal'> {
  try {
    return { login: loginOf(secret, registry, resolved) };
  } catch (error) {
    if (error instanceof CredentialsError) return { refusal: error };
    throw error;
  }
}

async function read(
  name: string | undefined,
  registry: Registry,
  kubernetes: KubernetesClient,
  reason: CredentialsReason,
): Promise<Secret | undefined> {
  if (name === undefined) return undefined;
  const { namespace } = registry.metadata;
  const secret = await kubernetes.find<Secret>(resourceTypes.Secret, name, namespace);
  if (secret !== undefined) return secret;
  throw new CredentialsError(reason, `Cannot use Secret ${namespace}/${name}: it does not exist`);
}
