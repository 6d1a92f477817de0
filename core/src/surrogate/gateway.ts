import type { IncomingMessage, ServerResponse } from 'node:http';

import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import type { RegistryRequest, RegistryResponse, Transport } from '../registry/transport.ts';
import { isDiffIdPath } from './diff-id-service.ts';
import { failureAnswer } from './far-error.ts';
import type { GatewayAnswer } from './far-error.ts';
import { requestHeadersOf } from './gateway-headers.ts';
import { bodyOf, breakOff, copyBody, hasBody, overOf, say } from './gateway-messages.ts';
import { askedOf, methodRefusal, passageTo } from './gateway-passage.ts';
import type { Asked } from './gateway-passage.ts';

/** Serves one request; never throws. */
export type GatewayHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** What a gateway is made with. */
export interface GatewayOptions {
  /** The way to the registry: it adds TLS and the login, and follows redirects. */
  readonly upstream: Transport;
  readonly log?: Log;
  /** Refuses everything but GET and HEAD, and what costs the surrogate itself much. */
  readonly readOnly?: boolean;
}

/**
 * Makes the handler that puts one registry's `/v2/` behind a plain HTTP server.
 *
 * Bodies stream both ways with backpressure and are not hashed: client and registry do that.
 * Credentials pass in neither direction.
 */
export function gatewayHandler(options: GatewayOptions): GatewayHandler {
  const { log = silent, readOnly = false } = options;
  const upstream = passageTo(options.upstream);
  return (request, response) => {
    const signal = overOf(request, response);
    response.on('error', (error) => log.debug(`a client was lost: ${error.message}`));
    const asked = allowedOf(request, readOnly);
    if ('status' in asked) {
      say(response, asked);
      return;
    }
    const headers = requestHeadersOf(request.headers);
    const body = hasBody(request) ? { body: bodyOf(request) } : {};
    void pass({ ...asked, headers, ...body, signal }, response, upstream, log);
  };
}

function allowedOf(request: IncomingMessage, readOnly: boolean): Asked | GatewayAnswer {
  const asked = askedOf(request);
  if ('status' in asked || !readOnly) return asked;
  const isReading = asked.method === 'GET' || asked.method === 'HEAD';
  return isReading && !isDiffIdPath(asked.path)
    ? asked
    : methodRefusal(asked.method, 'GET or HEAD of what is there');
}

async function pass(
  request: RegistryRequest & { readonly signal: AbortSignal },
  response: ServerResponse,
  upstream: Transport,
  log: Log,
): Promise<void> {
  const { method, path, signal } = request;
  // Without its query: the address of an upload is a secret.
  const what = `${method} ${path.replace(/\?.*/, '')}`;
  try {
    const answer = await upstream(request);
    log.debug(`${what} ${answer.status}`);
    await relay(answer, response, request);
  } catch (error) {
    if (signal.aborted) return;
    log.debug(`${what} failed: ${String(error)}`);
    if (response.headersSent) breakOff(response);
    else say(response, failureAnswer(error));
  }
}

async function relay(
  answer: RegistryResponse,
  response: ServerResponse,
  { method, signal }: { readonly method: string; readonly signal: AbortSignal },
): Promise<void> {
  response.writeHead(answer.status, answer.headers);
  if (method === 'HEAD') await answer.discard();
  else await copyBody(answer.body, response, signal);
  // Where the answer came before the end of the request, the client stops sending by itself.
  response.end();
}
