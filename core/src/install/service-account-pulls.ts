import { KubernetesError, resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { retry } from '../retry.ts';

/** An account of Pods. */
interface ServiceAccount extends KubernetesObject {
  imagePullSecrets?: readonly { readonly name?: string }[];
}

/** Which account. */
export interface AccountName {
  readonly name: string;
  readonly namespace: string;
}

/**
 * Names a Secret in an account's `imagePullSecrets`, beside those that are there.
 *
 * @returns Whether it was not there before.
 * @throws {KubernetesError} if there is no such account, or the caller may not change it.
 */
export function addPullSecret(
  kubernetes: KubernetesClient,
  account: AccountName,
  secret: string,
): Promise<boolean> {
  return changed(kubernetes, account, (listed) =>
    listed.some(({ name }) => name === secret) ? undefined : [...listed, { name: secret }],
  );
}

/** Takes a Secret out of an account's `imagePullSecrets`. @returns Whether it was there. */
export function removePullSecret(
  kubernetes: KubernetesClient,
  account: AccountName,
  secret: string,
): Promise<boolean> {
  return changed(kubernetes, account, (listed) => {
    const others = listed.filter(({ name }) => name !== secret);
    return others.length < listed.length ? others : undefined;
  });
}

type PullSecrets = NonNullable<ServiceAccount['imagePullSecrets']>;

/**
 * The list is atomic to the API: applying our part of it would take everybody else's away. So it is
 * read and written whole, with its version, and again if somebody else was faster.
 */
function changed(
  kubernetes: KubernetesClient,
  { name, namespace }: AccountName,
  change: (listed: PullSecrets) => PullSecrets | undefined,
): Promise<boolean> {
  return retry(
    async () => {
      const { ServiceAccount: type } = resourceTypes;
      const account = await kubernetes.get<ServiceAccount>(type, name, namespace);
      const imagePullSecrets = change(account.imagePullSecrets ?? []);
      if (imagePullSecrets === undefined) return false;
      await kubernetes.replace({ ...account, imagePullSecrets });
      return true;
    },
    {
      retries: 10,
      baseDelayMs: 50,
      isWorthwhile: (error) => error instanceof KubernetesError && error.isConflict,
    },
  );
}
