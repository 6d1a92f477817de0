import { KubernetesError, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';

/** @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
interface Lease extends KubernetesObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

const durationSeconds = 15;

/**
 * A Lease that one holder has at a time.
 *
 * The holder's clock is not trusted: a lease has expired when it has not changed for its duration
 * by our own.
 */
export class LeaseLock {
  readonly #kubernetes: KubernetesClient;
  readonly #namespace: string;
  readonly #identity: string;
  #seenVersion = '';
  #seenAtMs = 0;

  constructor(kubernetes: KubernetesClient, namespace: string, identity: string) {
    this.#kubernetes = kubernetes;
    this.#namespace = namespace;
    this.#identity = identity;
  }

  /** Takes the lease, or renews it. @returns Whether it is ours now. */
  async acquire(): Promise<boolean> {
    const lease = await this.#find();
    if (lease === undefined) return this.#write(() => this.#kubernetes.create(this.#mine()));
    this.#observe(lease);
    if (!this.#isOurs(lease) && !this.#hasExpired(lease)) return false;
    return this.#write(() => this.#kubernetes.replace(this.#mine(lease)));
  }

  /** Lets go of the lease, so that nobody waits until it expires. */
  async release(): Promise<void> {
    const lease = await this.#find();
    if (lease === undefined || !this.#isOurs(lease)) return;
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
    await this.#kubernetes.replace({ ...lease, spec });
  }

  async #find(): Promise<Lease | undefined> {
    return this.#kubernetes.find<Lease>(resourceTypes.Lease, names.operator, this.#namespace);
  }

  async #write(attempt: () => Promise<unknown>): Promise<boolean> {
    try {
      await attempt();
      return true;
    } catch (error) {
      // Somebody else was faster.
      if (error instanceof KubernetesError && error.status === 409) return false;
      throw error;
    }
  }

  #observe({ metadata }: Lease): void {
    const { resourceVersion = '' } = metadata;
    if (resourceVersion === this.#seenVersion) return;
    this.#seenVersion = resourceVersion;
    this.#seenAtMs = performance.now();
  }

  #isOurs({ spec }: Lease): boolean {
    return spec?.holderIdentity === this.#identity;
  }

  #hasExpired({ spec }: Lease): boolean {
    if (!spec?.holderIdentity) return true;
    const durationMs = (spec.leaseDurationSeconds ?? durationSeconds) * 1000;
    return performance.now() - this.#seenAtMs > durationMs;
  }

  #mine(lease?: Lease): Lease {
    // MicroTime wants six digits.
    const now = new Date().toISOString().replace('Z', '000Z');
    const isRenewal = lease !== undefined && this.#isOurs(lease);
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: lease?.metadata ?? { name: names.operator, namespace: this.#namespace },
      spec: {
        holderIdentity: this.#identity,
        leaseDurationSeconds: durationSeconds,
        acquireTime: isRenewal ? (lease.spec?.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (isRenewal ? 0 : 1),
      },
    };
  }
}
