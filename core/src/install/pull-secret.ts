import { InputError, NotFoundError, UnsupportedError } from '../errors.ts';
import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Secret } from '../providers/index.ts';
import { loginSecretOf, names, registryLabel } from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';
import { loginOf } from '../surrogate/login-secret.ts';
import { labelsOf } from './labels.ts';
import { addPullSecret, removePullSecret } from './service-account-pulls.ts';
import { dockerConfigOf } from './simple-login.ts';
import type { Login } from './simple-login.ts';

/** Which Pods are to pull. */
export interface PullSecretOptions {
  /** Of the Pods; the Registry's own by default. */
  readonly namespace?: string | undefined;
  /** `reposure-pull-<Registry>` by default. */
  readonly secret?: string | undefined;
  /** The accounts whose Pods pull with it. */
  readonly serviceAccounts?: readonly string[] | undefined;
}

/** What was made or taken away. */
export interface PullSecret {
  readonly namespace: string;
  readonly secret: string;
  readonly serviceAccounts: readonly string[];
  readonly state: 'created' | 'configured' | 'unchanged' | 'removed';
  /** The host in the references of images that it is for. */
  readonly host?: string;
}

/** Names in another namespace are no one's own: this says whose Secret it is. */
const namespaceAnnotation = 'reposure.puccini.cloud/registry-namespace';

/**
 * Gives Pods the login with which their node pulls from a Registry: a Secret in their namespace, named
 * in their ServiceAccounts. Running it again brings a changed login over.
 *
 * Everything is done with the caller's own rights.
 *
 * @throws {NotFoundError} if the Registry has no login, or no name for nodes, or there is no account.
 * @throws {CredentialsError|InputError} if its login Secret is not one for the host that nodes ask.
 * @throws {UnsupportedError} if the login is a token.
 */
export async function givePullSecret(
  kubernetes: KubernetesClient,
  registry: Registry,
  options: PullSecretOptions = {},
): Promise<PullSecret> {
  const place = placeOf(registry, options);
  const { namespace, secret, serviceAccounts } = place;
  const host = pullHostOf(registry);
  const login = await loginFor(host, registry, kubernetes);
  const before = await kubernetes.find<Secret>(resourceTypes.Secret, secret, namespace);
  refuseForeign(before, registry, place);
  // Nothing is made for an account that is not there.
  for (const account of serviceAccounts) {
    await kubernetes.get(resourceTypes.ServiceAccount, account, namespace);
  }
  const data = { '.dockerconfigjson': base64Of(dockerConfigOf(login, [host])) };
  let isChanged = false;
  if (before?.data?.['.dockerconfigjson'] !== data['.dockerconfigjson']) {
    await kubernetes.apply(secretObject(registry, place, data));
    isChanged = true;
  }
  for (const account of serviceAccounts) {
    const added = await addPullSecret(kubernetes, { name: account, namespace }, secret);
    isChanged ||= added;
  }
  const state = isChanged ? 'configured' : 'unchanged';
  return { ...place, host, state: before === undefined ? 'created' : state };
}

/**
 * Takes back what {@link givePullSecret} gave: from the accounts first, so that no Pod is left with a
 * name of nothing.
 *
 * @throws {InputError} if the Secret is somebody else's.
 */
export async function takePullSecret(
  kubernetes: KubernetesClient,
  registry: Registry,
  options: PullSecretOptions = {},
): Promise<PullSecret> {
  const place = placeOf(registry, options);
  const { namespace, secret, serviceAccounts } = place;
  const before = await kubernetes.find<Secret>(resourceTypes.Secret, secret, namespace);
  refuseForeign(before, registry, place);
  let isChanged = false;
  for (const account of serviceAccounts) {
    const removed = await removePullSecret(kubernetes, { name: account, namespace }, secret);
    isChanged ||= removed;
  }
  if (before !== undefined) {
    isChanged = (await kubernetes.delete(resourceTypes.Secret, secret, namespace)) || isChanged;
  }
  return { ...place, state: isChanged ? 'removed' : 'unchanged' };
}

type Place = Pick<PullSecret, 'namespace' | 'secret' | 'serviceAccounts'>;

function placeOf({ metadata }: Registry, options: PullSecretOptions): Place {
  const { namespace, secret, serviceAccounts = [] } = options;
  return {
    namespace: namespace ?? metadata.namespace,
    secret: secret ?? names.pullSecret(metadata.name),
    serviceAccounts: [...new Set(serviceAccounts)],
  };
}

function pullHostOf({ metadata, status }: Registry): string {
  if (status?.pullHost) return status.pullHost;
  throw new NotFoundError(
    `Cannot make a pull secret for Registry ${metadata.namespace}/${metadata.name}: it is not known by which host nodes pull; give the registry a node port, or name the host: reposure registry create ${metadata.name} --pull-host HOST`,
  );
}

/** As everywhere, a login counts for the hosts that its Secret names, or for the Registry it is labelled for. */
async function loginFor(
  host: string,
  registry: Registry,
  kubernetes: KubernetesClient,
): Promise<Login> {
  const { name, namespace } = registry.metadata;
  const named = loginSecretOf(registry.spec);
  if (named === undefined) {
    throw new NotFoundError(
      `Cannot make a pull secret for Registry ${namespace}/${name}: it names no login Secret; nodes pull from ${host} without one, or want: reposure registry create ${name} --login-secret SECRET`,
    );
  }
  const secret = await kubernetes.get<Secret>(resourceTypes.Secret, named, namespace);
  const found = await loginOf(secret, registry)(host);
  if (found === undefined) {
    throw new InputError(
      `Cannot make a pull secret for Registry ${namespace}/${name}: Secret ${namespace}/${named} has no login for ${host}, by which nodes pull; want an entry for it in "auths"`,
    );
  }
  if (found.kind !== 'basic') {
    throw new UnsupportedError(
      `Cannot make a pull secret for Registry ${namespace}/${name}: Secret ${namespace}/${named} has a token, and kubelets log in with username and password only`,
    );
  }
  return { username: found.username, password: found.password };
}

/** Another Registry's, or a person's own, is not to be overwritten or deleted. */
function refuseForeign(
  found: Secret | undefined,
  { metadata }: Registry,
  { namespace, secret }: Place,
): void {
  const { labels, annotations } = found?.metadata ?? {};
  const isOurs =
    labels?.[registryLabel] === metadata.name &&
    annotations?.[namespaceAnnotation] === metadata.namespace;
  if (found === undefined || isOurs) return;
  throw new InputError(
    `Cannot use Secret ${namespace}/${secret}: it was not made for Registry ${metadata.namespace}/${metadata.name}; name another one with --secret`,
  );
}

function secretObject(
  { metadata }: Registry,
  { namespace, secret }: Place,
  data: Record<string, string>,
): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secret,
      namespace,
      labels: {
        ...labelsOf(names.pullSecret(metadata.name), 'pull'),
        [registryLabel]: metadata.name,
      },
      annotations: { [namespaceAnnotation]: metadata.namespace },
    },
    type: 'kubernetes.io/dockerconfigjson',
    data,
  };
}

function base64Of(text: string): string {
  return Buffer.from(text).toString('base64');
}
