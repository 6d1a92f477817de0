import type { ByteStream } from '../bytes.ts';
import { isTransient, UnreachableError } from '../errors.ts';
import { failureOf } from '../registry/answer.ts';
import { requestLine } from '../registry/request-line.ts';
import type { RegistryRequest, RegistryResponse, Transport } from '../registry/transport.ts';
import { pauseAfter, retry } from '../retry.ts';
import type { RetryOptions } from '../retry.ts';

/** How long a route may be away before a tool is told. */
export type Patience = Pick<RetryOptions, 'retries' | 'signal' | 'onRetry'>;

/**
 * Sends again what got no answer, or that of a registry that is busy, and reads on where a blob broke
 * off, so that a tool does not see that a route broke.
 *
 * Bodies are whole ones, that can be sent again.
 */
export function patient(send: Transport, patience: Patience): Transport {
  return async (request) => {
    const own = { ...patience, signal: anyOf(request.signal, patience.signal) };
    const response = await retry(() => answered(send, request), own);
    const span = spanOf(request, response);
    if (!span) return response;
    const reading = new BlobReading(send, { request, response, span, patience: own });
    return { ...response, body: reading.bytes(), discard: () => reading.discard() };
  };
}

/** What a registry, or what stands before it, says when it is busy, or away for a moment. */
const busyStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

async function answered(send: Transport, request: RegistryRequest): Promise<RegistryResponse> {
  const response = await send(request);
  if (!busyStatuses.has(response.status)) return response;
  throw await failureOf(requestLine(request), response);
}

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length > 1 ? AbortSignal.any(given) : given[0];
}

/** Which bytes of a blob are answered: from, and up to. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** @returns `undefined` for an answer that is not about the bytes of a blob. */
function spanOf({ method, path }: RegistryRequest, response: RegistryResponse): Span | undefined {
  const { status, headers } = response;
  if (method !== 'GET' || !/\/blobs\/[^/?]+:[^/?]+$/.test(path)) return undefined;
  if (headers['content-encoding'] !== undefined) return undefined;
  if (status === 206) return partOf(headers['content-range']);
  const length = headers['content-length'];
  return status === 200 && length !== undefined ? { start: 0, end: Number(length) } : undefined;
}

function partOf(contentRange = ''): Span | undefined {
  const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(contentRange) ?? [];
  return first === undefined ? undefined : { start: Number(first), end: Number(last) + 1 };
}

/** Reads a blob, whose digest says that it is the same one each time. */
class BlobReading {
  readonly #send: Transport;
  readonly #request: RegistryRequest;
  readonly #patience: Patience;
  readonly #end: number;
  #at: number;
  #response: RegistryResponse;

  constructor(
    send: Transport,
    begun: {
      readonly request: RegistryRequest;
      readonly response: RegistryResponse;
      readonly span: Span;
      readonly patience: Patience;
    },
  ) {
    this.#send = send;
    this.#request = begun.request;
    this.#response = begun.response;
    this.#patience = begun.patience;
    this.#at = begun.span.start;
    this.#end = begun.span.end;
  }

  async *bytes(): ByteStream {
    let failures = 0;
    for (;;) {
      const before = this.#at;
      try {
        yield* this.#rest();
        return;
      } catch (error) {
        if (this.#at > before) failures = 0;
        if (this.#at === this.#end) return;
        if (failures >= this.#patience.retries || !isTransient(error)) throw error;
        await pauseAfter(error, failures++, this.#patience);
        await this.#reopen(error);
      }
    }
  }

  discard(): Promise<void> {
    return this.#response.discard();
  }

  async *#rest(): ByteStream {
    for await (const chunk of this.#response.body) {
      this.#at += chunk.byteLength;
      yield chunk;
    }
    if (this.#at < this.#end) {
      throw new UnreachableError(
        `Cannot read ${requestLine(this.#request)} to its end: it broke off`,
      );
    }
  }

  async #reopen(cause: unknown): Promise<void> {
    const range = `bytes=${this.#at}-${this.#end - 1}`;
    const request = { ...this.#request, headers: { ...this.#request.headers, range } };
    this.#response = await retry(() => this.#send(request), this.#patience);
    const { status, headers } = this.#response;
    if (status === 206 && partOf(headers['content-range'])?.start === this.#at) return;
    await this.#response.discard();
    throw cause;
  }
}
