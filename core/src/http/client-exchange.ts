import type { ByteStream } from '../bytes.ts';
import { AnswerBody } from './answer-body.ts';
import { BodySender } from './body-sender.ts';
import { framingOf } from './body.ts';
import type { Framing } from './body.ts';
import type { Connection } from './connection.ts';
import { formatRequest, readAnswerHead } from './head.ts';
import type { AnswerHead, Headers, SentHeaders } from './head.ts';

/** One request to one server. */
export interface HttpRequest {
  readonly method: string;
  /** In origin form. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: SentHeaders;
  /** A stream may overwrite a chunk when it is asked for the next one. */
  readonly body?: Uint8Array | ByteStream | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came back. Whoever gets it reads `body` to its end or calls `discard`. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Each chunk is valid until the next one is asked for. */
  readonly body: ByteStream;
  discard(): Promise<void>;
}

/** How an exchange waits, and fails. */
export interface ExchangeOptions {
  /** For the head of the answer, once all is sent. */
  readonly answerTimeoutMs: number;
  /** For whatever else comes or goes. */
  readonly silenceTimeoutMs: number;
  /** Says why no answer came, or not all of it. */
  readonly lost: (cause: unknown) => unknown;
}

const methodsWithBody: ReadonlySet<string> = new Set(['PUT', 'POST', 'PATCH']);
/** Kept by a server that does not say for how long. */
const usualKeepAliveMs = 60_000;
/** What a goodbye may need to arrive. */
const keepAliveMarginMs = 1_000;

/**
 * Sends one request over a connection, and resolves with the head of its answer.
 *
 * @param connection Belongs to the exchange, which gives it back or ends it.
 * @throws what `lost` makes, the reason of the request's signal, or what its body threw.
 */
export async function exchange(
  connection: Connection,
  request: HttpRequest,
  options: ExchangeOptions,
): Promise<HttpAnswer> {
  let started: ClientExchange;
  try {
    started = new ClientExchange(connection, request, options);
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return await started.run();
}

class ClientExchange {
  readonly #connection: Connection;
  readonly #request: HttpRequest;
  readonly #options: ExchangeOptions;
  readonly #framing: Framing;
  readonly #sender: BodySender;
  readonly #onAbort = (): void => this.#giveUp(this.#request.signal?.reason);
  #reason: { readonly error: unknown } | undefined;
  #isSent = false;

  constructor(connection: Connection, request: HttpRequest, options: ExchangeOptions) {
    this.#connection = connection;
    this.#request = request;
    this.#options = options;
    this.#framing = framingOfRequest(request);
    this.#sender = new BodySender(connection, this.#framing);
  }

  async run(): Promise<HttpAnswer> {
    const { signal } = this.#request;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
    const sending = this.#send().catch((error: unknown) => this.#giveUp(error));
    try {
      const head = await readAnswerHead(this.#connection.reader);
      // What proves itself at its end may still turn out to be something else.
      if (this.#sender.isAllSent) await sending;
      else this.#sender.stop();
      if (this.#reason) throw this.#reason.error;
      return this.#answered(head);
    } catch (error) {
      this.#sender.stop();
      this.#end(false);
      throw this.#failure(error);
    }
  }

  async #send(): Promise<void> {
    const { answerTimeoutMs, silenceTimeoutMs } = this.#options;
    const { method, path, body } = this.#request;
    const target = `${this.#connection.proxy?.targetPrefix ?? ''}${path}`;
    const head = formatRequest({ method, target, headers: this.#headers() });
    this.#connection.limitSilence({ limitMs: silenceTimeoutMs, code: 'SILENCE_TIMEOUT' });
    await this.#sender.send(head, body);
    this.#isSent = this.#sender.isAllSent;
    this.#connection.limitSilence({ limitMs: answerTimeoutMs, code: 'ANSWER_TIMEOUT' });
  }

  #headers(): SentHeaders {
    const { method, headers, body } = this.#request;
    const all = { ...headers, ...this.#connection.proxy?.headers };
    const { 'content-length': _, 'transfer-encoding': __, ...rest } = all;
    if (this.#framing === 'chunked') return { ...rest, 'transfer-encoding': 'chunked' };
    if (body === undefined && !methodsWithBody.has(method)) return rest;
    return { ...rest, 'content-length': String(this.#framing) };
  }

  #answered(head: AnswerHead): HttpAnswer {
    const { status, headers } = head;
    const { silenceTimeoutMs } = this.#options;
    this.#connection.limitSilence({ limitMs: silenceTimeoutMs, code: 'SILENCE_TIMEOUT' });
    const framing = this.#framingOfAnswer(head);
    const body = new AnswerBody(this.#connection.reader, framing, {
      failure: (error) => this.#failure(error),
      end: (isWhole) => this.#end(isWhole && this.#isSent && framing !== 'to the end', head),
    });
    return { status, headers, body, discard: () => body.discard() };
  }

  #framingOfAnswer({ status, headers }: AnswerHead): Framing {
    const isBodiless = this.#request.method === 'HEAD' || status === 204 || status === 304;
    return isBodiless ? 0 : framingOf(headers, 'to the end');
  }

  #giveUp(error: unknown): void {
    this.#reason ??= { error };
    this.#connection.destroy();
  }

  #failure(cause: unknown): unknown {
    return this.#reason ? this.#reason.error : this.#options.lost(cause);
  }

  #end(isReusable: boolean, head?: AnswerHead): void {
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    if (isReusable && head?.isPersistent) this.#connection.release(keptForMs(head.headers));
    else this.#connection.destroy();
  }
}

function framingOfRequest({ body, headers }: HttpRequest): Framing {
  if (body === undefined) return 0;
  const { 'content-length': length } = headers;
  if (length !== undefined) return framingOf({ 'content-length': String(length) }, 0);
  return body instanceof Uint8Array ? body.byteLength : 'chunked';
}

/** @see https://www.rfc-editor.org/rfc/rfc2068#section-19.7.1.1 */
function keptForMs({ 'keep-alive': hint = '' }: Headers): number {
  const [, seconds] = /\btimeout=(\d{1,6})\b/i.exec(hint) ?? [];
  return seconds === undefined ? usualKeepAliveMs : Number(seconds) * 1000 - keepAliveMarginMs;
}
