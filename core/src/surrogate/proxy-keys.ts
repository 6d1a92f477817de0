import { ReposureError } from '../errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { KubernetesError } from '../kubernetes/kubernetes-error.ts';
import { resourceTypes } from '../kubernetes/resource-types.ts';
import { names } from '../resource/registry.ts';
import type { Registry } from '../resource/registry.ts';
import type { Secret } from './login-secret.ts';

/** Whose keys, and what for. */
export interface ProxyKeysOptions {
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
  readonly access: 'read' | 'write';
}

/** There is no key to sign with. */
export class NoKeyError extends ReposureError {
  override readonly name = 'NoKeyError';
  readonly code = 'CLUSTER_RESPONSE';
  /** `Secret "…" is forbidden`: a clause. */
  readonly state: string;
  readonly #isTransient: boolean;

  /** @param secret Its name. */
  constructor(
    secret: string,
    { status, reason }: Pick<KubernetesError, 'status' | 'reason'>,
    forbiddenStep: string,
  ) {
    const [state, step] =
      status === 403
        ? ['is forbidden', forbiddenStep]
        : status === 404
          ? ['is not there', 'want it from an operator of this version']
          : [`cannot be read: the API server says ${status} (${reason})`, 'want one that answers'];
    super(`Cannot sign requests for the API server's proxy: Secret "${secret}" ${state}; ${step}`);
    this.state = `Secret "${secret}" ${state}`;
    this.#isTransient = status === 429 || status >= 500;
  }

  override get isTransient(): boolean {
    return this.#isTransient;
  }
}

/** The key that the requests of one client are signed with, from a Secret. */
export class ProxyKeys {
  readonly #options: ProxyKeysOptions;
  /** The current key, then the previous one: the Pod may not have seen the current one yet. */
  #keys: readonly string[] = [];
  readonly #refused = new Set<string>();

  constructor(options: ProxyKeysOptions) {
    this.#options = options;
  }

  /**
   * The key to sign with.
   *
   * @throws {NoKeyError} if it may not be read, or is not there.
   */
  async current(signal?: AbortSignal): Promise<string> {
    if (this.#keys.length === 0) this.#keys = await this.#read(signal);
    const [first = ''] = this.#keys;
    return this.#keys.find((key) => !this.#refused.has(key)) ?? first;
  }

  /** The surrogate does not know a key: whether there is another one to try. */
  async replace(key: string, signal?: AbortSignal): Promise<boolean> {
    this.#refused.add(key);
    this.#keys = await this.#read(signal);
    if (this.#keys.some((one) => !this.#refused.has(one))) return true;
    // It may know them later.
    this.#refused.clear();
    return false;
  }

  async #read(signal?: AbortSignal): Promise<readonly string[]> {
    const { registry, access } = this.#options;
    const { name } = registry.metadata;
    if (access === 'write') return await this.#keysIn(names.writeKey(name), signal);
    try {
      return await this.#keysIn(names.readKey(name), signal);
    } catch (error) {
      if (!(error instanceof NoKeyError)) throw error;
      // Who may push may be allowed to see that key only.
      return await this.#keysIn(names.writeKey(name), signal).catch(() => {
        throw error;
      });
    }
  }

  async #keysIn(name: string, signal?: AbortSignal): Promise<readonly string[]> {
    const { kubernetes, registry } = this.#options;
    const { namespace } = registry.metadata;
    try {
      const { data } = await kubernetes.get<Secret>(resourceTypes.Secret, name, namespace, signal);
      const keys = [data?.['key'], data?.['previous']].flatMap((value) =>
        value ? [Buffer.from(value, 'base64').toString().trim()] : [],
      );
      if (keys.length > 0) return keys;
    } catch (error) {
      if (!(error instanceof KubernetesError)) throw error;
      throw this.#without(name, error);
    }
    throw this.#without(name, { status: 404, reason: 'NotFound' });
  }

  #without(name: string, problem: Pick<KubernetesError, 'status' | 'reason'>): NoKeyError {
    const { registry, access } = this.#options;
    return new NoKeyError(name, problem, roleStep(registry, access));
  }
}

/** What to do about a 403. */
export function roleStep({ metadata }: Registry, access: 'read' | 'write'): string {
  const { name, namespace } = metadata;
  const command = `reposure registry role ${name} -n ${namespace}${access === 'read' ? ' --pull' : ''}`;
  return `want the Role that \`${command}\` prints`;
}
