import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { UnreachableError } from '../errors.ts';
import type { KubernetesClient, ServiceResponse } from '../kubernetes/client.ts';
import type { RegistryRequest, RegistryResponse, Transport } from '../registry/transport.ts';
import { names } from '../resource/registry.ts';
import type { Registry } from '../resource/registry.ts';
import { contentDigestOf } from './content-digest.ts';
import { farErrorOf } from './far-error.ts';
import { keyIdOf } from './gateway-keys.ts';
import { SignatureError, signatureHeaders } from './message-signature.ts';
import { verifiedAnswer } from './proxy-answer.ts';
import type { RequestSeal } from './proxy-answer.ts';
import { roleStep } from './proxy-keys.ts';
import type { ProxyKeys } from './proxy-keys.ts';
import { refusalHeader, requestComponents, signableRequest } from './signed-messages.ts';
import { describeSurrogate, isLookedAfter, nextStepFor } from './surrogate-pod.ts';

/** What requests through the API server's proxy are made with. */
export interface ProxyTransportOptions {
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
  readonly access: 'read' | 'write';
  readonly keys: ProxyKeys;
}

/** A request that the surrogate did not look at: another key, time or nonce may help. */
interface Refused {
  readonly refusal: string;
  readonly key: string;
  /** By the surrogate's clock, if it signed the refusal. */
  readonly createdSeconds?: number;
}

/** Between two tries at a surrogate that has just started. */
const startingMs = 1_000;
/** One for each of the reasons that there are, and some for one that has just started. */
const maxRefusals = 5;

/**
 * Carries requests to a surrogate's gateway by the API server's proxy, signed, and takes only answers
 * that are signed in turn.
 *
 * Besides what every transport throws: {@link KubernetesError} for what the API server itself says,
 * {@link SignatureError} for an answer of somebody else.
 */
export function proxyTransport(options: ProxyTransportOptions): Transport {
  const client = new ProxyClient(options);
  return (request) => client.request(request);
}

class ProxyClient {
  readonly #options: ProxyTransportOptions;
  /** How far the surrogate's clock is ahead of ours. */
  #aheadSeconds = 0;

  constructor(options: ProxyTransportOptions) {
    this.#options = options;
  }

  async request(request: RegistryRequest): Promise<RegistryResponse> {
    const isRepeatable = request.body === undefined || request.body instanceof Uint8Array;
    for (let refusals = 1; ; refusals++) {
      const outcome = await this.#attempt(request);
      if ('status' in outcome) return outcome;
      const mayHelp = await this.#adapt(outcome, request.signal);
      if (mayHelp && isRepeatable && refusals < maxRefusals) continue;
      throw this.#refused(outcome, mayHelp);
    }
  }

  async #attempt(request: RegistryRequest): Promise<RegistryResponse | Refused> {
    const { kubernetes, registry, access } = this.#options;
    const { method, path, body, signal } = request;
    const { name, namespace } = registry.metadata;
    const key = await this.#options.keys.current(signal);
    const seal = { key, keyId: keyIdOf(key), nonce: '' };
    const answer = await kubernetes.requestService({
      namespace,
      service: `https:${names.surrogate(name)}:${names.gatewayPort}`,
      method,
      path,
      headers: () => this.#signed(request, seal),
      body,
      isFromService: ({ status, headers }) =>
        status < 400 || 'signature' in headers || refusalHeader in headers,
      forbiddenStep: roleStep(registry, access),
      absentStep: `want its Pod running; ${nextStepFor(registry)}`,
      isExpectedBack: isLookedAfter(registry),
      signal,
    });
    return await this.#verified(answer, request, seal);
  }

  /** Signs with a nonce of its own each time. */
  async #signed(
    { method, path, body, headers = {} }: RegistryRequest,
    seal: { -readonly [K in keyof RequestSeal]: RequestSeal[K] },
  ): Promise<Record<string, string>> {
    seal.nonce = randomBytes(16).toString('base64url');
    const covered: Record<string, string> = { ...headers };
    if (body instanceof Uint8Array) {
      covered['content-length'] = String(body.byteLength);
      covered['content-digest'] = contentDigestOf(body);
    }
    const message = signableRequest(method, path, covered);
    const createdSeconds = nowSeconds() + this.#aheadSeconds;
    const signature = await signatureHeaders(message, requestComponents, {
      ...seal,
      createdSeconds,
    });
    return { ...covered, ...signature };
  }

  async #verified(
    answer: ServiceResponse,
    request: RegistryRequest,
    seal: RequestSeal,
  ): Promise<RegistryResponse | Refused> {
    const { [refusalHeader]: refusal } = answer.headers;
    if (refusal === 'key') {
      // Nothing that it could be signed with; whoever says so gets no more than other requests.
      await answer.discard();
      return { refusal, key: seal.key };
    }
    try {
      const { response, createdSeconds } = await verifiedAnswer(answer, request, seal);
      if (refusal !== undefined) return { refusal, key: seal.key, createdSeconds };
      const error = farErrorOf(response, `; ${nextStepFor(this.#options.registry)}`);
      if (!error) return response;
      await response.discard();
      throw error;
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error;
      await answer.discard();
      throw this.#impostor(error);
    }
  }

  /** Changes what was wrong. @returns Whether that may help. */
  async #adapt({ refusal, key, createdSeconds }: Refused, signal?: AbortSignal): Promise<boolean> {
    if (refusal === 'key') return await this.#options.keys.replace(key, signal);
    if (createdSeconds === undefined) return true;
    const aheadSeconds = createdSeconds - nowSeconds();
    // Right already: it has just started, and takes nothing that another process may have taken.
    if (refusal === 'time' && aheadSeconds === this.#aheadSeconds) await pause(signal);
    this.#aheadSeconds = aheadSeconds;
    return true;
  }

  /** @param mayHelp Another try is signed otherwise, but the body of this one is gone. */
  #refused({ refusal }: Refused, mayHelp: boolean): UnreachableError {
    const { registry, access } = this.#options;
    const { name } = registry.metadata;
    const secret = access === 'write' ? names.writeKey(name) : names.readKey(name);
    const reason = mayHelp
      ? `it did not take the signature (${refusal}); the next one is another`
      : `it does not know the key in Secret "${secret}"; its Pod sees a new one within two minutes`;
    return new UnreachableError(
      `Cannot get a request to ${describeSurrogate(registry)}: ${reason}`,
    );
  }

  #impostor(cause: SignatureError): SignatureError {
    const { registry } = this.#options;
    return new SignatureError(
      `Cannot trust an answer in the name of ${describeSurrogate(registry)}: ${cause.message}; want nothing but its Pod behind Service "${names.surrogate(registry.metadata.name)}", and nobody who changes answers on the way`,
      { cause },
    );
  }
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  await delay(startingMs, undefined, signal && { signal }).catch((error: unknown) => {
    throw signal?.aborted ? signal.reason : error;
  });
}

/** The time as signatures name it. */
function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
