import { UnsupportedError } from '../errors.ts';
import type { ApiObject, ResourceType } from './client.ts';
import type { Connection } from './connection.ts';
import { orUndefined } from './kubernetes-error.ts';
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
  async typeOf(
    object: Pick<ApiObject, 'apiVersion' | 'kind'> & Partial<ApiObject>,
  ): Promise<ResourceType> {
    const { apiVersion, kind, metadata } = object;
    const known = Object.values(resourceTypes).find(
      (type) => type.apiVersion === apiVersion && type.kind === kind,
    );
    const key = `${apiVersion} ${kind}`;
    const type = known ?? this.#asked.get(key) ?? (await this.#ask(apiVersion, kind));
    if (!type) {
      throw new UnsupportedError(
        `Cannot handle ${kind}${metadata ? ` ${metadata.name}` : ''}: the cluster at ${this.#connection.access.server} has no ${kind} in ${apiVersion}; want its CustomResourceDefinition installed first`,
      );
    }
    this.#asked.set(key, type);
    return type;
  }

  /** The resource type of a kind in the version that its group prefers; `undefined` if there is none. */
  async typeOfKind(kind: string, group: string): Promise<ResourceType | undefined> {
    const known = Object.values(resourceTypes).find(
      (type) => type.kind === kind && groupOf(type.apiVersion) === group,
    );
    if (known) return known;
    const apiVersion = group === '' ? 'v1' : await this.#preferredVersion(group);
    return apiVersion === undefined ? undefined : this.#ask(apiVersion, kind);
  }

  async #preferredVersion(group: string): Promise<string | undefined> {
    const found = await orUndefined(
      this.#connection.json<{ preferredVersion?: { groupVersion?: string } }>({
        method: 'GET',
        path: `/apis/${encodeURIComponent(group)}`,
        action: `look up the API group ${group}`,
      }),
    );
    return found?.preferredVersion?.groupVersion;
  }

  async #ask(apiVersion: string, kind: string): Promise<ResourceType | undefined> {
    const root = apiVersion.includes('/') ? 'apis' : 'api';
    const path = `/${root}/${apiVersion.split('/').map(encodeURIComponent).join('/')}`;
    const list = await orUndefined(
      this.#connection.json<ApiResourceList>({
        method: 'GET',
        path,
        action: `look up the kind ${kind} of ${apiVersion}`,
      }),
    );
    const found = list?.resources?.find((it) => it.kind === kind && !it.name.includes('/'));
    return found && { apiVersion, kind, plural: found.name, namespaced: found.namespaced };
  }
}

/** The API group of an `apiVersion`, of `apps/v1` it is `apps`; empty for the core's. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}
