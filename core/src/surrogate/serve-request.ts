import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import type { ByteStream } from '../bytes.ts';
import { UnreachableError } from '../errors.ts';
import { framingOf, readBody } from '../http/body.ts';
import { readRequestHead } from '../http/head.ts';
import type { RequestHead } from '../http/head.ts';
import { MessageReader } from '../http/message-reader.ts';
import { IncomingMessage, ServerResponse } from '../node-http.ts';
import type { YamuxStream } from './yamux/stream.ts';

/**
 * Serves the one request of a stream: the far side of `exchange`.
 *
 * The handler gets what Node's own server would give it. That one is not used: its parser copies
 * every body.
 *
 * @param stream Destroyed if what comes is no request, or not a whole one, or more than one.
 */
export async function serveRequest(stream: YamuxStream, handler: RequestListener): Promise<void> {
  try {
    const reader = new MessageReader(stream.bytes());
    const head = await readRequestHead(reader);
    const framing = framingOf(head.headers, 0);
    const request = new StreamedRequest(stream, head, readBody(reader, framing));
    const response = responseTo(request, stream);
    response.shouldKeepAlive = false;
    response.once('finish', () => stream.end());
    handler(request, response);
    // Nobody reads a body that is not there.
    if (framing !== 0) await request.settled;
    await reader.end();
  } catch (error) {
    stream.destroy(error instanceof Error ? error : undefined);
  }
}

/** A request whose body is read where it came in. */
export class StreamedRequest extends IncomingMessage {
  /** Settles when its body was read to the end, or nobody will. */
  readonly settled: Promise<void>;
  readonly #body: AsyncGenerator<Uint8Array, void>;
  readonly #over = Promise.withResolvers<void>();
  readonly #stream: Duplex;
  readonly #onClose = (): void => void (this.complete || this.destroy(cut()));

  constructor(stream: Duplex, { method, target, headers }: RequestHead, body: ByteStream) {
    super(asSocket(stream));
    this.method = method;
    this.url = target;
    this.httpVersion = '1.1';
    [this.httpVersionMajor, this.httpVersionMinor] = [1, 1];
    this.headers = { ...headers };
    this.#body = this.#reading(body);
    this.settled = this.#over.promise;
    this.settled.catch(() => {}); // told to whoever reads it
    this.on('error', () => {}); // told to whoever reads it
    this.once('close', () => this.#over.resolve());
    stream.once('close', this.#onClose);
    this.#stream = stream;
  }

  /** Listens to its stream no more, which may carry another one now. */
  leave(): void {
    this.#stream.off('close', this.#onClose);
  }

  /** The body; each chunk is valid until the next one is asked for. As a Node stream, it gives copies. */
  bytes(): ByteStream {
    return this.#body;
  }

  override _read(): void {
    this.#body.next().then(
      ({ value, done }) => this.push(done ? null : Buffer.from(value)),
      (error: unknown) => this.destroy(error instanceof Error ? error : undefined),
    );
  }

  async *#reading(body: ByteStream): AsyncGenerator<Uint8Array, void> {
    const parts = body[Symbol.asyncIterator]();
    try {
      // Not `yield*`: who stops early would end the body, too, whose rest may have to be read.
      for (let part = await parts.next(); !part.done; part = await parts.next()) yield part.value;
      this.complete = true;
      this.#over.resolve();
    } catch (error) {
      this.#over.reject(error);
      throw cut();
    }
  }
}

function cut(): UnreachableError {
  return new UnreachableError('Cannot read the request to its end: it was cut');
}

/** An answer that is written to the stream that its request came on. */
export function responseTo(request: IncomingMessage, stream: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.assignSocket(asSocket(stream));
  // What Node's server does for its answers.
  const drained = (): void => void response.emit('drain');
  stream.on('drain', drained);
  response.once('close', () => stream.off('drain', drained));
  return response;
}

/** Node's HTTP takes any stream, https://nodejs.org/api/http.html#event-connection; its types do not. */
function asSocket(stream: Duplex): Socket {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it calls, every Duplex has
  return stream as Socket;
}
