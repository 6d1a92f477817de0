import type { Agent, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

import { collect } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import { TimeoutError } from '../errors.ts';
import type { Connections } from '../http/connections.ts';
import type { Log } from '../log.ts';
import { request as httpRequest } from '../node-http.ts';
import { retry } from '../retry.ts';
import { version } from '../version.ts';
import type { Access } from './access.ts';
import { AgentCache } from './agent.ts';
import { lossOf, refusalOf } from './answer-error.ts';
import type { Purpose } from './answer-error.ts';
import type { ApiAnswer, ClientOptions } from './client.ts';
import { CredentialSource } from './credentials.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { ServiceConnections } from './service-connections.ts';

/** One request to the API. */
export interface ApiRequest extends Purpose {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the API on, with its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** `application/json` by default. */
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

/** What a request or an upgrade is made with at this moment. */
export interface Dressing {
  readonly agent: Agent;
  readonly headers: Record<string, string | string[]>;
}

/** What a request to a Service is made with at this moment. */
export interface ServiceDressing {
  readonly connections: Connections;
  readonly headers: Dressing['headers'];
}

/** As the API server itself: it gives up on an ordinary request after a minute. */
const answerWithinMs = 65_000;
/** A list of what Reposure reads is far smaller; a cluster must not be able to fill our memory. */
const maxBodyBytes = 256 << 20;
const throttledRetries = 5;
const userAgent = { 'user-agent': `reposure/${version}` };

/** What is around a connection: see {@link ClientOptions}. */
interface Surroundings extends Pick<ClientOptions, 'onAnswer'> {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** Requests to one API server, with one way to log in, and one way to fail. */
export class Connection {
  readonly access: Access;
  readonly #credentials: CredentialSource;
  readonly #agents: AgentCache;
  readonly #toServices: ServiceConnections;

  readonly #onAnswer: (answer: ApiAnswer) => void;

  constructor(access: Access, around: Surroundings) {
    this.access = access;
    this.#onAnswer = around.onAnswer ?? (() => {});
    this.#credentials = new CredentialSource(access, around.env, around.log);
    this.#agents = new AgentCache(access, around.env);
    this.#toServices = new ServiceConnections(access, around.env);
  }

  /**
   * Sends a request.
   *
   * @returns An answer whose status is a success; whoever gets it reads or destroys it.
   * @throws {KubernetesError} if the API says no.
   * @throws {UnreachableError} if it says nothing.
   * @throws {KubeconfigError} if there is no login, or no trust.
   */
  async send(request: ApiRequest): Promise<IncomingMessage> {
    return retry(() => this.#sendLoggedIn(request), {
      retries: throttledRetries,
      signal: request.signal,
      // Only what the server itself asked to send again, and thus has not done.
      isWorthwhile: (error) =>
        error instanceof KubernetesError && error.isTransient && error.retryAfterMs > 0,
    });
  }

  /** As {@link send}; reads the answer as JSON. */
  async json<T>(request: ApiRequest): Promise<T> {
    const bytes = await collect(
      this.bodyOf(await this.send(request), request),
      `the answer to "${request.action}"`,
      maxBodyBytes,
    );
    return JSON.parse(bytes.toString()) as T;
  }

  /** The body of an answer, with our errors; left early, the connection is dropped. */
  async *bodyOf(response: IncomingMessage, request: ApiRequest): ByteStream {
    try {
      yield* response;
    } catch (error) {
      request.signal?.throwIfAborted();
      throw lossOf(error, request, this.access);
    } finally {
      response.destroy();
    }
  }

  /** The login and the connections of this moment. */
  async dressing(signal?: AbortSignal): Promise<Dressing> {
    const { headers, tls } = await this.#credentials.current(signal);
    const agent = await this.#agents.agentFor(tls);
    return { agent, headers: { ...headers, ...userAgent } };
  }

  /** As {@link dressing}, for requests to Services. */
  async serviceDressing(signal?: AbortSignal): Promise<ServiceDressing> {
    const { headers, tls } = await this.#credentials.current(signal);
    const connections = this.#toServices.connectionsFor(tls);
    return { connections, headers: { ...headers, ...userAgent } };
  }

  /** After a 401: whether another try may have another login. */
  renew(): boolean {
    return this.#credentials.renew();
  }

  close(): void {
    this.#agents.close();
    this.#toServices.close();
  }

  async #sendLoggedIn(request: ApiRequest): Promise<IncomingMessage> {
    const first = await this.#exchange(request);
    if (isSuccess(first)) return first;
    const refusal = await refusalOf(first, request, this.access);
    if (refusal.status !== 401 || !this.renew()) throw refusal;
    const second = await this.#exchange(request);
    if (isSuccess(second)) return second;
    throw await refusalOf(second, request, this.access);
  }

  async #exchange(request: ApiRequest): Promise<IncomingMessage> {
    const dressing = await this.dressing(request.signal);
    const sent = this.#start(request, dressing);
    try {
      return await sent.answered;
    } catch (error) {
      request.signal?.throwIfAborted();
      // The server closed a connection that we had kept: it has not seen the request.
      if (sent.isStale() && request.method !== 'POST') {
        return this.#start(request, dressing).answered.catch((again: unknown) => {
          throw lossOf(again, request, this.access);
        });
      }
      throw lossOf(error, request, this.access);
    }
  }

  #start(
    request: ApiRequest,
    { agent, headers }: Dressing,
  ): { answered: Promise<IncomingMessage>; isStale(): boolean } {
    const { method, path, signal } = request;
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const open = this.access.server.startsWith('http:') ? httpRequest : httpsRequest;
    const outgoing = open(`${this.access.server}${path}`, {
      method,
      agent,
      headers: {
        ...headers,
        // The log of a container is no JSON.
        accept: 'application/json, */*',
        ...(body && {
          'content-type': request.contentType ?? 'application/json',
          'content-length': String(body.byteLength),
        }),
      },
      ...(signal && { signal }),
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      const overdue = setTimeout(() => {
        outgoing.destroy(new TimeoutError(`no answer within ${answerWithinMs / 1000} s`));
      }, answerWithinMs);
      const settle = (): void => clearTimeout(overdue);
      outgoing.once('close', settle);
      outgoing.once('error', (error) => {
        this.#onAnswer({ method, status: 0 });
        reject(error);
      });
      outgoing.once('response', (response) => {
        settle();
        this.#onAnswer({ method, status: response.statusCode ?? 0 });
        resolve(response);
      });
    });
    outgoing.end(body);
    const isStale = (): boolean => outgoing.reusedSocket;
    return { answered, isStale };
  }
}

function isSuccess(response: IncomingMessage): boolean {
  const status = response.statusCode ?? 0;
  return status >= 200 && status < 300;
}
