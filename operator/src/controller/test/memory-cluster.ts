import { KubernetesError } from '@reposure/core/kubernetes';
import type {
  ApiObject,
  KubernetesClient,
  ObjectList,
  ResourceType,
} from '@reposure/core/kubernetes';

/**
 * A cluster that only keeps what it is given, with the API's rules about versions and generations;
 * `refused` kinds cannot be applied.
 */
export class MemoryCluster implements KubernetesClient {
  readonly server = 'https://memory.test';
  readonly namespace = 'ci';
  readonly refused = new Set<string>();
  isDown = false;
  readonly #objects = new Map<string, ApiObject>();
  #version = 0;

  constructor(...objects: readonly ApiObject[]) {
    for (const object of objects) this.#put(object);
  }

  /** Every object of a kind, as it is kept. */
  of(kind: string): Record<string, unknown>[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind).map(cloneOf);
  }

  async get<T extends ApiObject>(type: ResourceType, name: string): Promise<T> {
    const object = await this.find<T>(type, name);
    if (object === undefined) throw refusal(404);
    return object;
  }

  async find<T extends ApiObject>({ kind }: ResourceType, name: string): Promise<T | undefined> {
    if (this.isDown) throw refusal(503);
    const object = this.#objects.get(`${kind}/${name}`);
    return object && cloneOf(object);
  }

  async list<T extends ApiObject>({ kind }: ResourceType): Promise<ObjectList<T>> {
    const items = [...this.#objects.values()].filter((object) => object.kind === kind);
    return { resourceVersion: String(this.#version), items: items.map(cloneOf) };
  }

  async create<T extends ApiObject>(object: T): Promise<T> {
    if (this.#objects.has(keyOf(object))) throw refusal(409);
    return this.#put(object);
  }

  async apply<T extends ApiObject>(object: T, options?: { subresource?: string }): Promise<T> {
    if (this.refused.has(object.kind)) throw refusal(403);
    const before = this.#objects.get(keyOf(object));
    if (options?.subresource === 'status') {
      return this.#put({ ...before, ...object, metadata: before?.metadata ?? object.metadata });
    }
    return this.#put(object);
  }

  async replace<T extends ApiObject>(object: T): Promise<T> {
    const before = this.#objects.get(keyOf(object));
    if (before?.metadata.resourceVersion !== object.metadata.resourceVersion) throw refusal(409);
    return this.#put(object);
  }

  async delete({ kind }: ResourceType, name: string): Promise<boolean> {
    return this.#objects.delete(`${kind}/${name}`);
  }

  watch = unsupported;
  logs = unsupported;
  exec = unsupported;
  can = unsupported;

  close(): void {}

  #put<T extends ApiObject>(object: T): T {
    const before = this.#objects.get(keyOf(object));
    const isSame = specOf(before) === specOf(object);
    const generation = (before?.metadata.generation ?? 0) + (isSame ? 0 : 1);
    this.#version += 1;
    const stored = cloneOf({
      ...object,
      metadata: { ...object.metadata, generation, resourceVersion: String(this.#version) },
    });
    this.#objects.set(keyOf(object), stored);
    return cloneOf(stored);
  }
}

function keyOf({ kind, metadata }: ApiObject): string {
  return `${kind}/${metadata.name}`;
}

function specOf(object: ApiObject | undefined): string {
  return JSON.stringify(object && 'spec' in object ? object.spec : undefined);
}

function refusal(status: number): KubernetesError {
  return new KubernetesError('ask the cluster in memory', { status });
}

/** As it comes back over the wire: without what is undefined. */
function cloneOf(object: ApiObject) {
  return JSON.parse(JSON.stringify(object));
}

function unsupported(): never {
  throw new TypeError('The cluster in memory cannot do this');
}
