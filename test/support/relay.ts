import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A cable between clients and a server, in the hands of a test. */
export interface Relay {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** What has gone from clients to the server. */
  readonly up: Direction;
  /** What has come back. */
  readonly down: Direction;
  /** How many connections it has cut. */
  readonly cuts: number;
  /** Cuts all connections. */
  cut(): void;
  /** Cuts all connections, and takes none for so long. */
  cutFor(milliseconds: number): void;
  /** Lets nothing through any more on the connections that there are, and tells nobody. */
  stall(): void;
  close(): Promise<void>;
}

/** How long and how wide the cable is. */
export interface RelayOptions {
  /** In each direction. */
  readonly delayMs?: number;
  /** In each direction, of all connections together. */
  readonly bytesPerSecond?: number;
}

/** One direction of a relay: what has gone, and what happens when it has. */
class Direction {
  /** Of all connections. */
  bytes = 0;
  readonly #bytesPerMs: number;
  #events: { readonly at: number; readonly happen: () => void }[] = [];
  #freeAtMs = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Lets something happen as soon as so many bytes have gone in all, and not one more. */
  when(bytes: number, happen: () => void): void {
    this.#events = [...this.#events, { at: bytes, happen }].toSorted((a, b) => a.at - b.at);
  }

  /** How many of `bytes` go before something happens. */
  before(bytes: number): number {
    const [next] = this.#events;
    return Math.max(0, Math.min(bytes, (next?.at ?? Infinity) - this.bytes));
  }

  /** Counts, and lets happen what is due. */
  went(bytes: number): void {
    this.bytes += bytes;
    for (let [next] = this.#events; next && next.at <= this.bytes; [next] = this.#events) {
      this.#events.shift();
      next.happen();
    }
  }

  /** Ends when the cable has room for so many bytes. */
  async room(bytes: number): Promise<void> {
    if (this.#bytesPerMs === Infinity) return;
    const nowMs = performance.now();
    const waitMs = Math.max(0, this.#freeAtMs - nowMs);
    this.#freeAtMs = nowMs + waitMs + bytes / this.#bytesPerMs;
    if (waitMs >= 1) await delay(waitMs);
  }
}

/** Starts a relay on a free port of 127.0.0.1. @param target `ADDRESS:PORT` */
export async function startRelay(target: string, options: RelayOptions = {}): Promise<Relay> {
  const { delayMs = 0, bytesPerSecond = Infinity } = options;
  const [host = '', port = ''] = target.split(':');
  const [up, down] = [new Direction(bytesPerSecond), new Direction(bytesPerSecond)];
  const wires = new Set<Wire>();
  let [cuts, deadUntilMs] = [0, 0];
  const cut = (): void => {
    for (const wire of wires) wire.cut();
    cuts += wires.size;
  };
  const server = createServer((client) => {
    if (performance.now() < deadUntilMs) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ host, port: Number(port) });
    for (const wire of [
      new Wire(client, upstream, up, delayMs),
      new Wire(upstream, client, down, delayMs),
    ]) {
      wires.add(wire);
      void wire.forward().finally(() => wires.delete(wire));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    up,
    down,
    get cuts() {
      return cuts;
    },
    cut,
    cutFor: (milliseconds) => {
      deadUntilMs = performance.now() + milliseconds;
      cut();
    },
    stall: () => {
      for (const wire of wires) wire.isStalled = true;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}

/** One connection in one direction. */
class Wire {
  isStalled = false;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #direction: Direction;
  readonly #delayMs: number;

  constructor(from: Socket, to: Socket, direction: Direction, delayMs: number) {
    this.#from = from;
    this.#to = to;
    this.#direction = direction;
    this.#delayMs = delayMs;
    from.setNoDelay(true);
    from.on('error', () => {}); // its end says enough
  }

  cut(): void {
    this.#from.resetAndDestroy();
  }

  async forward(): Promise<void> {
    try {
      for await (const chunk of this.#from as AsyncIterable<Buffer>) {
        if (this.#delayMs > 0) await delay(this.#delayMs);
        await this.#direction.room(chunk.byteLength);
        await this.#pass(chunk);
      }
      this.#to.end();
    } catch {
      this.#to.destroy(); // one end was lost, so the other is of no use
    }
  }

  async #pass(chunk: Buffer): Promise<void> {
    for (let rest = chunk; rest.byteLength > 0;) {
      if (this.isStalled) await once(this.#from, 'close');
      const part = rest.subarray(0, this.#direction.before(rest.byteLength));
      rest = rest.subarray(part.byteLength);
      if (!this.#to.write(part)) await this.#drained();
      this.#direction.went(part.byteLength);
      if (this.#from.destroyed) return;
    }
  }

  async #drained(): Promise<void> {
    const over = new AbortController();
    const { signal } = over;
    try {
      await Promise.race([
        once(this.#to, 'drain', { signal }),
        once(this.#to, 'close', { signal }),
      ]);
    } finally {
      over.abort();
    }
  }
}
