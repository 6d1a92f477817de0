import type { ByteStream } from '../bytes.ts';
import { UnreachableError } from '../errors.ts';
import { describeDuration } from '../quantities.ts';
import { requestLine } from './request-line.ts';
import type { RegistryRequest, RegistryResponse, Transport } from './transport.ts';

/** A request that moves no byte for so long is broken off. */
export const defaultStallTimeoutMs = 60_000;
/**
 * How many times as long an answer to bytes is waited for: a registry that finishes an upload may hash
 * all of it, or copy it on its storage.
 */
const patienceWithAnswers = 5;
/** What the link may still hold when we have parted with the last byte, and how slow it may be. */
const maxBytesUnderWay = 16 * 1024 * 1024;
const slowestBytesPerMs = 64;

/**
 * Breaks off requests that have come to a standstill, with an error that is worth another try.
 *
 * Only the network's time counts: a body's bytes being taken, the head of the answer being waited
 * for, the answer's bytes coming in. As long as the source has nothing to send, or the reader takes
 * nothing, the clock stands.
 */
export function breakingStalls(request: Transport, stallTimeoutMs: number): Transport {
  return async (asked) => {
    const watch = new StallWatch(asked, stallTimeoutMs);
    try {
      const sent = asked.body === undefined ? {} : { body: watch.sending(asked.body) };
      return watch.receiving(await request({ ...asked, ...sent, signal: watch.signal }));
    } catch (error) {
      watch.end();
      throw error;
    }
  };
}

/** One request, and a clock that runs while the network has the turn. */
class StallWatch {
  /** Aborted by a standstill, or by the request's own signal. */
  readonly signal: AbortSignal;
  readonly #request: RegistryRequest;
  readonly #stallTimeoutMs: number;
  readonly #stalled = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #timerMs = 0;
  #isRunning = false;
  #isOver = false;
  #sentBytes = 0;

  constructor(request: RegistryRequest, stallTimeoutMs: number) {
    this.#request = request;
    this.#stallTimeoutMs = stallTimeoutMs;
    const { signal } = this.#stalled;
    this.signal = request.signal ? AbortSignal.any([request.signal, signal]) : signal;
    this.#awaitAnswer();
  }

  sending(body: Uint8Array | ByteStream): Uint8Array | ByteStream {
    if (!(body instanceof Uint8Array)) return this.#sendingStream(body);
    this.#sentBytes = body.byteLength;
    this.#awaitAnswer();
    return body;
  }

  receiving(answer: RegistryResponse): RegistryResponse {
    this.#isRunning = false;
    return {
      ...answer,
      body: this.#receivingStream(answer.body),
      discard: async () => {
        this.#run(this.#stallTimeoutMs);
        await answer.discard().finally(() => this.end());
      },
    };
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async *#sendingStream(body: ByteStream): AsyncGenerator<Uint8Array, void> {
    this.#isRunning = false;
    for await (const chunk of body) {
      this.#sentBytes += chunk.byteLength;
      this.#run(this.#stallTimeoutMs);
      yield chunk;
      this.#isRunning = false;
    }
    this.#awaitAnswer();
  }

  async *#receivingStream(body: ByteStream): AsyncGenerator<Uint8Array, void> {
    try {
      this.#run(this.#stallTimeoutMs);
      for await (const chunk of body) {
        this.#isRunning = false;
        yield chunk;
        this.#run(this.#stallTimeoutMs);
      }
    } finally {
      this.end();
    }
  }

  #awaitAnswer(): void {
    const longestMs = patienceWithAnswers * this.#stallTimeoutMs;
    const underWayMs = Math.min(this.#sentBytes, maxBytesUnderWay) / slowestBytesPerMs;
    const limitMs = Math.min(this.#stallTimeoutMs + underWayMs, longestMs);
    this.#run(isFinish(this.#request) ? longestMs : limitMs);
  }

  #run(limitMs: number): void {
    if (this.#isOver) return;
    this.#isRunning = true;
    if (this.#timer && this.#timerMs === limitMs) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timerMs = limitMs;
    this.#timer = setTimeout(() => this.#giveUp(limitMs), limitMs).unref();
  }

  #giveUp(limitMs: number): void {
    if (!this.#isRunning || this.#isOver) return;
    const line = requestLine(this.#request);
    const error = new UnreachableError(
      `Cannot finish ${line}: no byte moved for ${describeDuration(limitMs)}`,
    );
    this.#stalled.abort(error);
  }
}

/** Whether a request turns what was sent into a blob. */
function isFinish({ method, path }: RegistryRequest): boolean {
  return method === 'PUT' && path.includes('/blobs/uploads/');
}
