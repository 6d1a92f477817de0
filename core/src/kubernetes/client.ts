import type { Duplex } from 'node:stream';

import type { ByteStream } from '../bytes.ts';
import type { Log } from '../log.ts';

/** What every object of the API has; an interface without an index signature, such as `Registry`, is one. */
export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** Any object of the API, with fields that we do not know. */
export interface KubernetesObject extends ApiObject {
  [field: string]: unknown;
}

/** What Reposure reads of an object's metadata. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  generation?: number;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: readonly OwnerReference[];
}

/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/ */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** A resource type, for the paths of the API: no discovery is asked for what we know. */
export interface ResourceType {
  /** `v1`, `apps/v1` */
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** One page-free list. */
export interface ObjectList<T> {
  readonly resourceVersion: string;
  readonly items: readonly T[];
}

/** What narrows a list or a watch, as in the API. */
export interface ListOptions {
  /** All namespaces without one. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One event of a watch; a bookmark carries only a resourceVersion. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** How an exec is started. */
export interface ExecOptions {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** No secret may be in it: it travels in the URL, into audit logs. */
  readonly command: readonly string[];
  /** Subprotocols to offer, best first; by default v5, then v4. */
  readonly protocols?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** A program in a container, with its stdin and stdout as one Duplex with flow control both ways. */
export interface ExecSession {
  readonly stream: Duplex;
  /** `v5.channel.k8s.io` or `v4.channel.k8s.io`: what the API server agreed to. */
  readonly protocol: string;
  /** Settles when the far side has said how the program ended; no receipt for what was sent. */
  readonly exit: Promise<ExecExit>;
  /** The last 64 KiB of stderr. */
  stderr(): string;
  /** Closes the connection at once; `stream` is destroyed. */
  abort(reason?: Error): void;
}

/** How a program ended; `message` is the API's own where there is no exit code. */
export interface ExecExit {
  readonly exitCode: number | undefined;
  readonly message: string;
}

/** A request through the API server to a port of a Service: `services/proxy`. */
export interface ServiceRequest {
  readonly namespace: string;
  /** As Roles name it: `https:NAME:PORT`. */
  readonly service: string;
  readonly method: string;
  /** From the root of the Service on, with its query. */
  readonly path: string;
  /** Made anew for each try, as a signature has to be; names in lower case. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  readonly body?: Uint8Array | ByteStream | undefined;
  /** Tells the Service's answers from the API server's own. */
  readonly isFromService: (answer: Pick<ServiceResponse, 'status' | 'headers'>) => boolean;
  /** What a person may do if they may not, or if the Service is not there. */
  readonly forbiddenStep?: string | undefined;
  readonly absentStep?: string | undefined;
  /** It has run, so that it is worth waiting for where it does not answer. */
  readonly isExpectedBack?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a Service answered. Whoever gets it reads `body` to its end or calls `discard`. */
export interface ServiceResponse {
  readonly status: number;
  /** Names in lower case; a header that came several times is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ByteStream;
  /** Lets go of the rest of the body. */
  discard(): Promise<void>;
}

/** How an object is applied. */
export interface ApplyOptions {
  /** e.g. `status` */
  readonly subresource?: string;
  readonly fieldManager?: string;
  /** The API answers with what would become of the object, and changes nothing. */
  readonly dryRun?: boolean;
  /** Whether fields of other managers are taken over; otherwise they are a conflict. */
  readonly force?: boolean;
  /** Refuse fields that the kind does not have, instead of dropping them. */
  readonly strict?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The Kubernetes API, as far as Reposure needs it. Every method throws `KubernetesError` for a Status. */
export interface KubernetesClient {
  /** `https://host:port` of the API server, for messages. */
  readonly server: string;
  /** The namespace of the kubeconfig's context, `default` if there is none. */
  readonly namespace: string;
  /** @throws {KubernetesError} `isNotFound` if there is none. */
  get<T extends ApiObject>(
    type: ResourceType,
    name: string,
    namespace?: string,
    signal?: AbortSignal,
  ): Promise<T>;
  /** As {@link get}, but `undefined` for one that is not there. */
  find<T extends ApiObject>(
    type: ResourceType,
    name: string,
    namespace?: string,
    signal?: AbortSignal,
  ): Promise<T | undefined>;
  list<T extends ApiObject>(type: ResourceType, options?: ListOptions): Promise<ObjectList<T>>;
  /**
   * Ends without an error when the server ends it, or says nothing for `silenceMs` (three minutes);
   * `Expired` as `KubernetesError`. Asks for bookmarks.
   */
  watch<T extends ApiObject>(
    type: ResourceType,
    options: ListOptions & { readonly resourceVersion?: string; readonly silenceMs?: number },
  ): AsyncGenerator<WatchEvent<T>, void>;
  /**
   * The resource type of a kind: from our own table, else by asking the API.
   *
   * @throws {UnsupportedError} if the cluster knows no such kind.
   */
  typeOf(object: Pick<ApiObject, 'apiVersion' | 'kind'>): Promise<ResourceType>;
  /** The same in the version that the kind's group prefers; `undefined` if there is none. */
  typeOfKind(kind: string, group: string): Promise<ResourceType | undefined>;
  /** POST; for what must not be there yet. */
  create<T extends ApiObject>(object: T): Promise<T>;
  /** Server-side apply; with our field manager and force, unless the options say otherwise. */
  apply<T extends ApiObject>(object: T, options?: ApplyOptions): Promise<T>;
  /** PUT with the object's resourceVersion; a conflict is a `KubernetesError`. */
  replace<T extends ApiObject>(object: T, options?: { readonly subresource?: string }): Promise<T>;
  /** Whether there was one to delete. */
  delete(
    type: ResourceType,
    name: string,
    namespace?: string,
    options?: {
      readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
      readonly uid?: string;
    },
  ): Promise<boolean>;
  /** The log of a container, as it is written. */
  logs(
    pod: string,
    namespace: string,
    options?: {
      readonly container?: string;
      readonly follow?: boolean;
      /** Of the run before the last restart. */
      readonly previous?: boolean;
      readonly tailLines?: number;
      readonly signal?: AbortSignal;
    },
  ): AsyncGenerator<Uint8Array, void>;
  /** Starts a program in a container. @throws {KubernetesError} if the API refuses. */
  exec(options: ExecOptions): Promise<ExecSession>;
  /**
   * Sends a request through the API server to a Service.
   *
   * The API server verifies no certificate there, and strips `Authorization`.
   *
   * @throws {KubernetesError} if the API server answered by itself.
   */
  requestService(request: ServiceRequest): Promise<ServiceResponse>;
  /** Whether this caller may do something (SelfSubjectAccessReview). */
  can(attributes: {
    readonly verb: string;
    readonly group?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  }): Promise<boolean>;
  close(): void;
}

/** An answer of the API, as far as it is counted. */
export interface ApiAnswer {
  readonly method: string;
  /** HTTP status; 0 if the request was lost. */
  readonly status: number;
}

/** What a client is made with. */
export interface ClientOptions {
  /** Files as in `KUBECONFIG`, joined with the system's path delimiter; else `$KUBECONFIG`'s value as the entry point read it. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /**
   * The environment: `HOME`, `KUBERNETES_SERVICE_HOST`, `HTTPS_PROXY` and friends, and what exec
   * plugins inherit. The process's own by default; `KUBECONFIG` in it is not looked at.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly log?: Log;
  /** Told of every answer of the API, for whoever counts them. */
  readonly onAnswer?: ((answer: ApiAnswer) => void) | undefined;
}
