import { randomUUID } from 'node:crypto';

import { KubernetesError } from '@reposure/core/kubernetes';
import type {
  ApiObject,
  KubernetesClient,
  ListOptions,
  ObjectList,
  ResourceType,
} from '@reposure/core/kubernetes';

/** A cluster that only keeps what it is given, with the API's rules about versions and generations. */
export class MemoryCluster implements KubernetesClient {
  readonly server = 'https://memory.test';
  readonly namespace = 'ci';
  /** Kinds that it shows to nobody, and takes from nobody. */
  readonly forbidden = new Set<string>();
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

  async get<T extends ApiObject>(type: ResourceType, name: string, namespace?: string): Promise<T> {
    const object = await this.find<T>(type, name, namespace);
    if (object === undefined) throw refusal(404);
    return object;
  }

  async find<T extends ApiObject>(
    type: ResourceType,
    name: string,
    namespace?: string,
  ): Promise<T | undefined> {
    this.#admit(type);
    const object = this.#objects.get(this.#keyOf(type, name, namespace));
    return object && cloneOf(object);
  }

  /** Of the selectors, it knows the one for a name. */
  async list<T extends ApiObject>(
    type: ResourceType,
    { fieldSelector }: ListOptions = {},
  ): Promise<ObjectList<T>> {
    this.#admit(type);
    const [, name] = /^metadata\.name=(.+)$/.exec(fieldSelector ?? '') ?? [];
    const items = [...this.#objects.values()].filter(
      ({ kind, metadata }) => kind === type.kind && (name === undefined || metadata.name === name),
    );
    return { resourceVersion: String(this.#version), items: items.map(cloneOf) };
  }

  async create<T extends ApiObject>(object: T): Promise<T> {
    if (this.#objects.has(keyOfObject(object))) throw refusal(409);
    return this.#put(object);
  }

  async apply<T extends ApiObject>(object: T, options?: { subresource?: string }): Promise<T> {
    this.#admit(object);
    const before = this.#objects.get(keyOfObject(object));
    if (options?.subresource === 'status') {
      return this.#put({ ...before, ...object, metadata: before?.metadata ?? object.metadata });
    }
    return this.#put(object);
  }

  async replace<T extends ApiObject>(object: T): Promise<T> {
    const before = this.#objects.get(keyOfObject(object));
    if (before?.metadata.resourceVersion !== object.metadata.resourceVersion) throw refusal(409);
    return this.#put(object);
  }

  async delete(type: ResourceType, name: string, namespace?: string): Promise<boolean> {
    return this.#objects.delete(this.#keyOf(type, name, namespace));
  }

  typeOf = unsupported;
  typeOfKind = unsupported;
  watch = unsupported;
  logs = unsupported;
  exec = unsupported;
  requestService = unsupported;
  can = unsupported;

  close(): void {}

  #admit({ kind }: { readonly kind: string }): void {
    if (this.isDown) throw refusal(503);
    if (this.forbidden.has(kind)) throw refusal(403);
  }

  #keyOf({ kind, namespaced }: ResourceType, name: string, namespace = this.namespace): string {
    return `${kind}/${namespaced ? namespace : ''}/${name}`;
  }

  #put<T extends ApiObject>(object: T): T {
    const before = this.#objects.get(keyOfObject(object));
    const isSame = specOf(before) === specOf(object);
    const generation = (before?.metadata.generation ?? 0) + (isSame ? 0 : 1);
    const uid = before?.metadata.uid ?? object.metadata.uid ?? randomUUID();
    this.#version += 1;
    const resourceVersion = String(this.#version);
    const stored = cloneOf({
      ...object,
      metadata: { ...object.metadata, uid, generation, resourceVersion },
    });
    this.#objects.set(keyOfObject(object), stored);
    return cloneOf(stored);
  }
}

function keyOfObject({ kind, metadata: { name, namespace = '' } }: ApiObject): string {
  return `${kind}/${namespace}/${name}`;
}

function specOf(object: ApiObject | undefined): string {
  return JSON.stringify(object && 'spec' in object ? object.spec : undefined);
}

function refusal(status: number): KubernetesError {
  return new KubernetesError('ask the cluster in memory', { status });
}

function unsupported(): never {
  throw new TypeError('The cluster in memory cannot do this');
}

/** As it comes back over the wire: without what is undefined. */
function cloneOf(object: ApiObject) {
  return JSON.parse(JSON.stringify(object));
}
