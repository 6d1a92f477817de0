import type { IncomingMessage, ServerResponse } from 'node:http';

import { collect } from '../bytes.ts';
import type { Log } from '../log.ts';
import { failureOf } from '../registry/answer.ts';
import { requestLine } from '../registry/request-line.ts';
import type { RegistryRequest, RegistryResponse, Transport } from '../registry/transport.ts';
import { requestHeadersOf, responseHeadersOf } from '../surrogate/gateway-headers.ts';
import { breakOff, copyBody, hasBody, overOf, say } from '../surrogate/gateway-messages.ts';
import { askedOf } from '../surrogate/gateway-passage.ts';
import type { Asked } from '../surrogate/gateway-passage.ts';
import { refusalOf } from './admission.ts';
import type { Admission } from './admission.ts';
import { sayFailure } from './answers.ts';
import { uploadPathOf } from './upload-endpoint.ts';
import type { UploadEndpoint } from './upload-endpoint.ts';

/** What a bridge serves its tools with. */
export interface BridgeHandlerOptions {
  readonly admission: Admission;
  /** Everything but uploads; tries again by itself. */
  readonly upstream: Transport;
  readonly uploads: UploadEndpoint;
  readonly log: Log;
}

/** Manifests are at most 4 MiB; what is larger, the registry is to refuse by itself. */
const maxDocumentBytes = 8 * 1024 * 1024;

/** Makes the handler of a bridge's HTTP server; it never throws. */
export function bridgeHandler(
  options: BridgeHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    response.on('error', (error) => options.log.debug(`a tool was lost: ${error.message}`));
    const refusal = refusalOf(request, options.admission);
    const asked = refusal ?? askedOf(request);
    if ('status' in asked) say(response, asked);
    else void serve(asked, { request, response, signal: overOf(request, response) }, options);
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborted when the tool has gone. */
  readonly signal: AbortSignal;
}

async function serve(
  asked: Asked,
  exchange: Exchange,
  options: BridgeHandlerOptions,
): Promise<void> {
  const { request, response, signal } = exchange;
  const what = requestLine(asked);
  try {
    const answer = await answerOf(asked, exchange, options);
    options.log.debug(`${what} ${answer.status}`);
    response.writeHead(answer.status, answer.headers);
    if (asked.method === 'HEAD') await answer.discard();
    else await copyBody(answer.body, response, signal);
    response.end();
  } catch (error) {
    if (signal.aborted) return;
    options.log.debug(`${what} failed: ${String(error)}`);
    if (response.headersSent) breakOff(response);
    else sayFailure(response, error);
    // A tool that sends on before it reads would wait for ever.
    request.resume();
  }
}

async function answerOf(
  { method, path }: Asked,
  { request, signal }: Exchange,
  { upstream, uploads }: BridgeHandlerOptions,
): Promise<RegistryResponse> {
  const body = hasBody(request) ? request.iterator({ destroyOnReturn: false }) : undefined;
  const upload = uploadPathOf(path);
  if (upload) return await uploads.serve({ ...upload, method, headers: request.headers, body });
  const document = body && { body: await collect(body, 'a document', maxDocumentBytes) };
  const headers = requestHeadersOf(request.headers);
  return await passOn({ method, path, headers, ...document, signal }, upstream);
}

async function passOn(request: RegistryRequest, upstream: Transport): Promise<RegistryResponse> {
  const { method, path } = request;
  const response = await upstream(request);
  const { status } = response;
  // Said anew, so that it reaches the person: see answers.ts.
  if (method !== 'HEAD' && (status === 401 || status >= 500)) {
    throw await failureOf(requestLine(request), response);
  }
  return { ...response, headers: responseHeadersOf(response, path) };
}
