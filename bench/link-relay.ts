import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** How long and how wide a link is, in each direction. */
export interface LinkShape {
  /** One way. */
  readonly delayMs: number;
  /** Of all connections together. */
  readonly bytesPerSecond: number;
}

/** What clients have sent through a link, and what has come back. */
export interface LinkCounts {
  readonly upBytes: number;
  readonly downBytes: number;
  /** How often its connections were cut. */
  readonly cuts: number;
}

/** A link between clients and a server. */
export interface LinkRelay {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  counts(): LinkCounts;
  /** Cuts all connections as soon as clients have sent so many bytes in all, once for each. */
  cutAt(upBytes: readonly number[]): void;
  close(): Promise<void>;
}

/** What a link that holds nothing back keeps of one connection, in each direction. */
const minQueueBytes = 256 * 1024;

/**
 * Starts a link on a free port of 127.0.0.1.
 *
 * Bytes leave one after the other as the rate allows, and arrive after the delay; any number of
 * them is under way at once. What waits is bounded as on a real path: by the bandwidth times the
 * time of a round trip.
 *
 * @param target `ADDRESS:PORT`
 */
export async function startLinkRelay(target: string, shape: LinkShape): Promise<LinkRelay> {
  const [host = '', port = ''] = target.split(':');
  const [up, down] = [new Direction(shape), new Direction(shape)];
  const sockets = new Set<Socket>();
  let cuts = 0;
  const cut = (): void => {
    if (sockets.size > 0) cuts += 1;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const far = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true });
    for (const socket of [client, far]) {
      sockets.add(socket);
      socket.on('error', () => {}); // its close says enough
      socket.once('close', (isLost) => {
        sockets.delete(socket);
        // An end that came in order comes to the other side in order, behind what is under way.
        if (isLost) (socket === client ? far : client).resetAndDestroy();
      });
    }
    up.carry(client, far);
    down.carry(far, client);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts: () => ({ upBytes: up.bytes, downBytes: down.bytes, cuts }),
    cutAt: (upBytes) => up.when(upBytes, cut),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** One direction of a link, shared by its connections. */
class Direction {
  bytes = 0;
  readonly #shape: LinkShape;
  #freeAtMs = 0;
  #marks: number[] = [];
  #onMark: () => void = () => {};

  constructor(shape: LinkShape) {
    this.#shape = shape;
  }

  when(bytes: readonly number[], happen: () => void): void {
    this.#marks = bytes.toSorted((a, b) => a - b);
    this.#onMark = happen;
  }

  /** Carries what one end sends to the other, and its end. */
  carry(from: Socket, to: Socket): void {
    const { delayMs, bytesPerSecond } = this.#shape;
    const roundTripBytes = bytesPerSecond === Infinity ? 0 : (bytesPerSecond * 2 * delayMs) / 1000;
    const maxBytes = Math.max(minQueueBytes, roundTripBytes);
    // A client begins to send when the answer to its SYN is there.
    const line = new Line(from, to, {
      maxBytes,
      delayMs,
      openAtMs: performance.now() + 2 * delayMs,
    });
    from.on('data', (chunk: Buffer) => {
      this.#count(chunk.byteLength);
      line.push(chunk, this.#departureMs(chunk.byteLength));
    });
    from.once('end', () => line.push(undefined, performance.now()));
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    while ((this.#marks[0] ?? Infinity) <= this.bytes) {
      this.#marks.shift();
      this.#onMark();
    }
  }

  /** When the last of so many bytes has left, behind all that were there before. */
  #departureMs(bytes: number): number {
    const startMs = Math.max(performance.now(), this.#freeAtMs);
    this.#freeAtMs = startMs + (bytes * 1000) / this.#shape.bytesPerSecond;
    return this.#freeAtMs;
  }
}

interface LineOptions {
  readonly maxBytes: number;
  readonly delayMs: number;
  readonly openAtMs: number;
}

/** What is under way on one connection in one direction. */
class Line {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #options: LineOptions;
  /** Without a chunk: the end. */
  readonly #queue: { readonly chunk: Buffer | undefined; readonly arrivalMs: number }[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #isBlocked = false;

  constructor(from: Socket, to: Socket, options: LineOptions) {
    this.#from = from;
    this.#to = to;
    this.#options = options;
    to.on('drain', () => {
      this.#isBlocked = false;
      this.#deliver();
    });
    to.once('close', () => clearTimeout(this.#timer));
  }

  push(chunk: Buffer | undefined, departureMs: number): void {
    const { delayMs, openAtMs, maxBytes } = this.#options;
    const arrivalMs = Math.max(departureMs, openAtMs) + delayMs;
    this.#queue.push({ chunk, arrivalMs });
    this.#bytes += chunk?.byteLength ?? 0;
    if (this.#bytes >= maxBytes) this.#from.pause();
    this.#deliver();
  }

  /** Hands over what has arrived, and comes back for the rest. */
  #deliver(): void {
    clearTimeout(this.#timer);
    const nowMs = performance.now();
    for (let [next] = this.#queue; next && !this.#isBlocked; [next] = this.#queue) {
      if (next.arrivalMs > nowMs) {
        this.#timer = setTimeout(() => this.#deliver(), next.arrivalMs - nowMs);
        break;
      }
      this.#queue.shift();
      this.#handOver(next.chunk);
    }
    if (this.#bytes < this.#options.maxBytes) this.#from.resume();
  }

  #handOver(chunk: Buffer | undefined): void {
    if (!chunk) {
      this.#to.end();
      return;
    }
    this.#bytes -= chunk.byteLength;
    this.#isBlocked = !this.#to.write(chunk);
  }
}
