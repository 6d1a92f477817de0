import { NotFoundError } from '../errors.ts';
import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';
import { waitForRollout } from './rollout.ts';
import type { WaitOptions } from './rollout.ts';

interface OperatorDeployment extends KubernetesObject {
  spec?: { template?: { spec?: { containers?: readonly { image?: string }[] } } };
}

/** The operator of a namespace, as it is. */
export interface InstalledOperator {
  /** Its image, as its Deployment has it. */
  readonly image: string;
}

/**
 * Waits until the operator of a namespace works, and changes nothing.
 *
 * @throws {NotFoundError} if there is none.
 * @throws {TimeoutError} that says what keeps it from working.
 */
export async function checkOperator(
  kubernetes: KubernetesClient,
  { namespace, ...wait }: WaitOptions & { readonly namespace: string },
): Promise<InstalledOperator> {
  const type = resourceTypes.Deployment;
  const found = await kubernetes.find<OperatorDeployment>(type, names.operator, namespace);
  if (found === undefined) {
    throw new NotFoundError(
      `Cannot find the operator: there is no Deployment ${names.operator} in namespace "${namespace}"; \`reposure operator install --wait\` installs it`,
    );
  }
  await waitForRollout(kubernetes, names.operator, namespace, wait);
  const [container] = found.spec?.template?.spec?.containers ?? [];
  return { image: container?.image ?? '' };
}
