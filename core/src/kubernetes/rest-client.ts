import { fieldManager } from '../resource/registry.ts';
import type {
  ApiObject,
  ApplyOptions,
  ExecOptions,
  ExecSession,
  KubernetesClient,
  ListOptions,
  ObjectList,
  ResourceType,
  ServiceRequest,
  ServiceResponse,
  WatchEvent,
} from './client.ts';
import type { ApiRequest, Connection } from './connection.ts';
import { startExec } from './exec.ts';
import { orUndefined } from './kubernetes-error.ts';
import { listObjects } from './list.ts';
import { ObjectTypes } from './object-types.ts';
import { describeObject, pathOf } from './paths.ts';
import type { PathParts } from './paths.ts';
import { resourceTypes } from './resource-types.ts';
import { requestService } from './service-proxy.ts';
import { watchEvents } from './watch.ts';

const accessReviews: ResourceType = {
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
};

/** The Kubernetes API over HTTPS. */
export class RestClient implements KubernetesClient {
  readonly server: string;
  readonly namespace: string;
  readonly #connection: Connection;
  readonly #types: ObjectTypes;

  constructor(connection: Connection) {
    this.server = connection.access.server;
    this.namespace = connection.access.namespace;
    this.#connection = connection;
    this.#types = new ObjectTypes(connection);
  }

  async get<T extends ApiObject>(
    type: ResourceType,
    name: string,
    namespace?: string,
    signal?: AbortSignal,
  ): Promise<T> {
    const parts = { name, namespace: this.#namespaceOf(type, namespace) };
    return this.#connection.json<T>({
      method: 'GET',
      path: pathOf(type, parts),
      action: `get ${describeObject(type, name, parts.namespace)}`,
      signal,
    });
  }

  async find<T extends ApiObject>(
    type: ResourceType,
    name: string,
    namespace?: string,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    return orUndefined(this.get<T>(type, name, namespace, signal));
  }

  async list<T extends ApiObject>(
    type: ResourceType,
    options: ListOptions = {},
  ): Promise<ObjectList<T>> {
    return listObjects<T>(this.#connection, type, options);
  }

  watch<T extends ApiObject>(
    type: ResourceType,
    options: ListOptions & { readonly resourceVersion?: string; readonly silenceMs?: number },
  ): AsyncGenerator<WatchEvent<T>, void> {
    return watchEvents<T>(this.#connection, type, options);
  }

  async typeOf(object: Pick<ApiObject, 'apiVersion' | 'kind'>): Promise<ResourceType> {
    return this.#types.typeOf(object);
  }

  async typeOfKind(kind: string, group: string): Promise<ResourceType | undefined> {
    return this.#types.typeOfKind(kind, group);
  }

  async create<T extends ApiObject>(object: T): Promise<T> {
    return this.#write(object, 'create', { query: { fieldManager } });
  }

  async apply<T extends ApiObject>(object: T, options: ApplyOptions = {}): Promise<T> {
    const { subresource, fieldManager: manager = fieldManager, force = true, signal } = options;
    const query = {
      fieldManager: manager,
      force,
      dryRun: options.dryRun ? 'All' : undefined,
      fieldValidation: options.strict ? 'Strict' : undefined,
    };
    // What somebody read before applying it: the API refuses to be told who manages what.
    const { managedFields: _, ...metadata } = object.metadata as ApiObject['metadata'] & {
      managedFields?: unknown;
    };
    return this.#write({ ...object, metadata }, 'apply', { subresource, query, signal });
  }

  async replace<T extends ApiObject>(
    object: T,
    options: { readonly subresource?: string } = {},
  ): Promise<T> {
    return this.#write(object, 'replace', { ...options, query: { fieldManager } });
  }

  async delete(
    type: ResourceType,
    name: string,
    namespace?: string,
    options: Parameters<KubernetesClient['delete']>[3] = {},
  ): Promise<boolean> {
    const parts = { name, namespace: this.#namespaceOf(type, namespace) };
    const { propagationPolicy = 'Background', uid } = options;
    const deleted = await orUndefined(
      this.#connection.json({
        method: 'DELETE',
        path: pathOf(type, parts),
        action: `delete ${describeObject(type, name, parts.namespace)}`,
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy,
          ...(uid && { preconditions: { uid } }),
        },
      }),
    );
    return deleted !== undefined;
  }

  async *logs(
    pod: string,
    namespace: string,
    options: Parameters<KubernetesClient['logs']>[2] = {},
  ): AsyncGenerator<Uint8Array, void> {
    const { container, follow, previous, tailLines, signal } = options;
    const query = { container, follow, previous, tailLines };
    const request: ApiRequest = {
      method: 'GET',
      path: pathOf(resourceTypes.Pod, { namespace, name: pod, subresource: 'log', query }),
      action: `read the log of Pod ${namespace}/${pod}`,
      signal,
    };
    yield* this.#connection.bodyOf(await this.#connection.send(request), request);
  }

  async exec(options: ExecOptions): Promise<ExecSession> {
    return startExec(this.#connection, options);
  }

  async requestService(request: ServiceRequest): Promise<ServiceResponse> {
    return requestService(this.#connection, request);
  }

  async can(attributes: Parameters<KubernetesClient['can']>[0]): Promise<boolean> {
    const { status } = await this.#connection.json<{ status?: { allowed?: boolean } }>({
      method: 'POST',
      path: pathOf(accessReviews, {}),
      action: `ask for the right to ${attributes.verb} ${attributes.resource}`,
      body: {
        apiVersion: accessReviews.apiVersion,
        kind: accessReviews.kind,
        spec: { resourceAttributes: attributes },
      },
    });
    return status?.allowed === true;
  }

  close(): void {
    this.#connection.close();
  }

  async #write<T extends ApiObject>(
    object: ApiObject,
    verb: keyof typeof writes,
    { signal, ...parts }: Pick<PathParts, 'subresource' | 'query'> & Pick<ApplyOptions, 'signal'>,
  ): Promise<T> {
    const type = await this.#types.typeOf(object);
    const { name } = object.metadata;
    const namespace = this.#namespaceOf(type, object.metadata.namespace);
    const target = verb === 'create' ? {} : { name };
    return this.#connection.json<T>({
      ...writes[verb],
      path: pathOf(type, { ...parts, ...target, namespace }),
      action: `${verb} ${describeObject(type, name, namespace)}`,
      body: object,
      signal,
    });
  }

  #namespaceOf(type: ResourceType, namespace: string | undefined): string | undefined {
    return type.namespaced ? (namespace ?? this.namespace) : undefined;
  }
}

/** @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#api-implementation JSON is YAML, too. */
const writes = {
  create: { method: 'POST' },
  replace: { method: 'PUT' },
  apply: { method: 'PATCH', contentType: 'application/apply-patch+yaml' },
} as const satisfies Record<string, Pick<ApiRequest, 'method' | 'contentType'>>;
