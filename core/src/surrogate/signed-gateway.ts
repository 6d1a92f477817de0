import type { IncomingMessage, ServerResponse } from 'node:http';

import { collect } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import { explain } from '../errors.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { maxManifestBytes } from '../oci/index.ts';
import { AuthenticationError } from '../registry/registry-error.ts';
import type { RegistryResponse, Transport } from '../registry/transport.ts';
import { isDiffIdPath } from './diff-id-service.ts';
import { errorAnswer, failureAnswer } from './far-error.ts';
import type { GatewayAnswer } from './far-error.ts';
import type { GatewayKeys } from './gateway-keys.ts';
import { breakOff, copyBody, overOf, say } from './gateway-messages.ts';
import { askedOf, passageTo } from './gateway-passage.ts';
import { SeenNonces } from './seen-nonces.ts';
import { signedHeaders } from './signed-answer.ts';
import { isBlob, isBodiless, refusalHeader } from './signed-messages.ts';
import type { Refusal } from './signed-messages.ts';
import { bodyOfSigned, signedRequestOf } from './signed-request.ts';
import type { SignedRequest } from './signed-request.ts';

/** What a signed gateway is made with. */
export interface SignedGatewayOptions {
  /** The way to the registry: it adds TLS and the login, and follows redirects. */
  readonly upstream: Transport;
  /** Asked for each request; without any key, every request is refused. */
  readonly keys: () => Promise<GatewayKeys>;
  readonly log?: Log;
  /** The clock: milliseconds since 1970. */
  readonly now?: () => number;
}

/** An answer that is passed on while it comes. */
type Streamed = Pick<RegistryResponse, 'status' | 'headers'> & { readonly stream: ByteStream };

/**
 * Makes the handler that puts one registry's `/v2/` behind the API server's proxy: a gateway that
 * serves only what is signed with one of its keys, and signs what it answers.
 *
 * Nobody on the way has to be trusted with more than the bytes of images: the API server verifies no
 * certificate behind it. Bodies stream both ways with backpressure; what is no blob is held, up to
 * 4 MiB.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9421
 */
export function signedGateway(
  options: SignedGatewayOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const gateway = new SignedGateway(options);
  return (request, response) => void gateway.serve(request, response);
}

class SignedGateway {
  readonly #upstream: Transport;
  readonly #keys: () => Promise<GatewayKeys>;
  readonly #log: Log;
  /** In seconds, as signatures name the time. */
  readonly #now: () => number;
  readonly #nonces: SeenNonces;

  constructor({ upstream, keys, log = silent, now = Date.now }: SignedGatewayOptions) {
    this.#upstream = passageTo(upstream);
    this.#keys = keys;
    this.#log = log;
    this.#now = () => Math.floor(now() / 1000);
    this.#nonces = new SeenNonces(this.#now());
  }

  /** Never throws. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const signal = overOf(request, response);
    response.on('error', (error) => this.#log.debug(`a client was lost: ${error.message}`));
    try {
      const asked = await signedRequestOf(request, await this.#keys());
      const answer = this.#refusalOf(asked) ?? (await this.#answerTo(asked, request, signal));
      await send(
        { ...answer, headers: await signedHeaders(answer, asked, this.#now()) },
        response,
        signal,
      );
    } catch (error) {
      if (signal.aborted) return;
      this.#log.debug(`${request.method} failed: ${explain(error)}`);
      if (response.headersSent) breakOff(response);
      else say(response, refusal('key', explain(error)));
    }
  }

  #refusalOf({ signature, mayWrite, method, path }: SignedRequest): GatewayAnswer | undefined {
    const { nonce, createdSeconds } = signature;
    const problem = this.#nonces.take(nonce, createdSeconds, this.#now());
    if (problem === 'time') return refusal(problem, 'it was signed too long ago, or too early');
    if (problem === 'seen') return refusal(problem, 'it was served before');
    const isReading = method === 'GET' || method === 'HEAD';
    if (mayWrite || (isReading && !isDiffIdPath(path))) return undefined;
    const error = new AuthenticationError(
      `Cannot serve ${method} to who may only read; want the key for writing`,
    );
    return { ...failureAnswer(error), status: 403 };
  }

  async #answerTo(
    asked: SignedRequest,
    request: IncomingMessage,
    signal: AbortSignal,
  ): Promise<GatewayAnswer | Streamed> {
    const line = askedOf({ method: asked.method, url: asked.path });
    if ('status' in line) return line;
    const what = `${line.method} ${line.path.replace(/\?.*/, '')}`;
    try {
      const body = await bodyOfSigned(asked, request);
      const answer = await this.#upstream({
        ...line,
        headers: asked.headers,
        ...(body && { body }),
        signal,
      });
      const { status, headers } = answer;
      this.#log.debug(`${what} ${status}`);
      if (!isBlob(line.method, line.path, status)) return await held(answer, line.method);
      return { status, headers, stream: answer.body };
    } catch (error) {
      signal.throwIfAborted();
      this.#log.debug(`${what} failed: ${String(error)}`);
      return failureAnswer(error);
    }
  }
}

async function held(answer: RegistryResponse, method: string): Promise<GatewayAnswer> {
  const { status, headers } = answer;
  if (!isBodiless(method, status)) {
    const body = await collect(answer.body, "the registry's answer", maxManifestBytes);
    return { status, headers, body };
  }
  await answer.discard();
  return { status, headers, body: Buffer.alloc(0) };
}

async function send(
  answer: GatewayAnswer | Streamed,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  if ('body' in answer) {
    say(response, answer);
    return;
  }
  response.writeHead(answer.status, answer.headers);
  await copyBody(answer.stream, response, signal);
  response.end();
}

function refusal(why: Refusal, message: string): GatewayAnswer {
  const answer = errorAnswer(401, {
    code: 'UNAUTHORIZED',
    message: `Cannot serve the request: ${message}`,
  });
  return { ...answer, headers: { ...answer.headers, [refusalHeader]: why } };
}
