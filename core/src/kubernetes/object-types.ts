import { UnsupportedError } from '../errors.ts';
import type { ApiObject, ResourceType } from './client.ts';
import type { Connection } from './connection.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { resourceTypes } from './resource-types.ts';

interface ApiResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }[];
}

/** Finds the resource type of an object: from our own table, else by asking the API once. */
export class ObjectTypes {
  readonly #connection: Connection;
  readonly #asked = new Map<string, ResourceType>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws {UnsupportedError} if the cluster knows no such kind. */
  async typeOf({ apiVersion, kind, metadata }: ApiObject): Promise<ResourceType> {
    const known = Object.values(resourceTypes).find(
      (type) => type.apiVersion === apiVersion && type.kind === kind,
    );
    const key = `${apiVersion} ${kind}`;
    const type = known ?? this.#asked.get(key) ?? (await this.#ask(apiVersion, kind));
    if (!type) {
      throw new UnsupportedError(
        `Cannot handle ${kind} ${metadata.name}: the cluster at ${this.#connection.access.server} has no ${kind} in ${apiVersion}; want its CustomResourceDefinition installed first`,
      );
    }
    this.#asked.set(key, type);
    return type;
  }

  async #ask(apiVersion: string, kind: string): Promise<ResourceType | undefined> {
    const root = apiVersion.includes('/') ? 'apis' : 'api';
    const path = `/${root}/${apiVersion.split('/').map(encodeURIComponent).join('/')}`;
    try {
      const { resources = [] } = await this.#connection.json<ApiResourceList>({
        method: 'GET',
        path,
        action: `look up the kind ${kind} of ${apiVersion}`,
      });
      const found = resources.find((it) => it.kind === kind && !it.name.includes('/'));
      return found && { apiVersion, kind, plural: found.name, namespaced: found.namespaced };
    } catch (error) {
      if (error instanceof KubernetesError && error.isNotFound) return undefined;
      throw error;
    }
  }
}
