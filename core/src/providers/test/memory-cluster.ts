import { randomUUID } from 'node:crypto';

import { KubernetesError } from '../../kubernetes/index.ts';
import type {
  ApiObject,
  KubernetesClient,
  ObjectList,
  ResourceType,
} from '../../kubernetes/index.ts';

/** A cluster that only keeps what it is given; the kinds in `forbidden` it shows to nobody. */
export class MemoryCluster implements KubernetesClient {
  readonly server = 'https://memory.test';
  readonly namespace = 'default';
  readonly forbidden = new Set<string>();
  readonly #objects = new Map<string, ApiObject>();
  #version = 0;

  constructor(...objects: readonly ApiObject[]) {
    for (const object of objects) this.#put(object);
  }

  async get<T extends ApiObject>(type: ResourceType, name: string, namespace?: string): Promise<T> {
    const object = await this.find<T>(type, name, namespace);
    if (object === undefined) throw refusal(404);
    return object;
  }

  async find<T extends ApiObject>(
    { kind }: ResourceType,
    name: string,
    namespace?: string,
  ): Promise<T | undefined> {
    if (this.forbidden.has(kind)) throw refusal(403);
    const object = this.#objects.get(keyOf(kind, name, namespace));
    return object && cloneOf(object);
  }

  async list<T extends ApiObject>({ kind }: ResourceType): Promise<ObjectList<T>> {
    if (this.forbidden.has(kind)) throw refusal(403);
    const items = [...this.#objects.values()].filter((object) => object.kind === kind);
    return { resourceVersion: String(this.#version), items: items.map(cloneOf) };
  }

  async create<T extends ApiObject>(object: T): Promise<T> {
    if (this.#objects.has(keyOfObject(object))) throw refusal(409);
    return this.#put(object);
  }

  async apply<T extends ApiObject>(object: T): Promise<T> {
    if (this.forbidden.has(object.kind)) throw refusal(403);
    return this.#put(object);
  }

  async replace<T extends ApiObject>(object: T): Promise<T> {
    return this.#put(object);
  }

  async delete({ kind }: ResourceType, name: string, namespace?: string): Promise<boolean> {
    return this.#objects.delete(keyOf(kind, name, namespace));
  }

  watch = unsupported;
  logs = unsupported;
  exec = unsupported;
  can = unsupported;

  close(): void {}

  #put<T extends ApiObject>(object: T): T {
    this.#version += 1;
    const { metadata } = object;
    const uid =
      this.#objects.get(keyOfObject(object))?.metadata.uid ?? metadata.uid ?? randomUUID();
    const stored = {
      ...object,
      metadata: { ...metadata, uid, resourceVersion: String(this.#version) },
    };
    this.#objects.set(keyOfObject(object), cloneOf(stored));
    return cloneOf(stored);
  }
}

function keyOf(kind: string, name: string, namespace = ''): string {
  return `${kind}/${namespace}/${name}`;
}

function keyOfObject({ kind, metadata }: ApiObject): string {
  return keyOf(kind, metadata.name, metadata.namespace);
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
