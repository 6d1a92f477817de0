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

/**
 * Serves the one request of a stream: the far side of `exchange`.
 *
 * The handler gets what Node's own server would give it. That one is not used: its parser copies
 * every body.
 *
 * @param stream Destroyed if what comes is no request, or not a whole one, or more than one.
 */
export async function serveRequest(stream: Duplex, handler: RequestListener): Promise<void> {
  try {
    const reader = new MessageReader(stream.iterator({ destroyOnReturn: false }));
    const head = await readRequestHead(reader);
    const body = readBody(reader, framingOf(head.headers, 0));
    const request = new StreamedRequest(stream, head);
    handler(request, responseTo(request, stream));
    await request.feed(body);
    await reader.end();
  } catch (error) {
    stream.destroy(error instanceof Error ? error : undefined);
  }
}

/** A request whose body is given to it. */
class StreamedRequest extends IncomingMessage {
  #onWanted: (() => void) | undefined;

  constructor(stream: Duplex, { method, target, headers }: RequestHead) {
    super(asSocket(stream));
    this.method = method;
    this.url = target;
    this.httpVersion = '1.1';
    [this.httpVersionMajor, this.httpVersionMinor] = [1, 1];
    this.headers = { ...headers };
    this.on('error', () => {}); // told to whoever reads it
    this.once('close', () => this.#onWanted?.());
    const cut = new UnreachableError('Cannot read the request to its end: it was cut');
    stream.once('close', () => void (this.complete || this.destroy(cut)));
  }

  async feed(body: ByteStream): Promise<void> {
    for await (const part of body) {
      if (this.destroyed) return;
      if (!this.push(part)) await this.#wanted();
    }
    this.complete = true;
    this.push(null);
  }

  override _read(): void {
    this.#onWanted?.();
  }

  #wanted(): Promise<void> {
    return new Promise((resolve) => {
      this.#onWanted = resolve;
    });
  }
}

function responseTo(request: IncomingMessage, stream: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(asSocket(stream));
  // What Node's server does for its answers.
  stream.on('drain', () => response.emit('drain'));
  response.once('finish', () => stream.end());
  return response;
}

/** Node's HTTP takes any stream, https://nodejs.org/api/http.html#event-connection; its types do not. */
function asSocket(stream: Duplex): Socket {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it calls, every Duplex has
  return stream as Socket;
}
