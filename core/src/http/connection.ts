import type { Socket } from 'node:net';

import { MessageReader } from './message-reader.ts';
import type { SocketReader } from './socket-reader.ts';

/** Why a connection of ours was not to be had, or did not serve. */
export type ConnectionFailure =
  | 'CONNECT_TIMEOUT'
  | 'ANSWER_TIMEOUT'
  | 'SILENCE_TIMEOUT'
  | 'PROXY_REFUSED'
  | 'CLOSED_HERE';

/** A connection failed, by what we know ourselves; what the system says comes as it is. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ConnectionFailure;

  constructor(message: string, code: ConnectionFailure) {
    super(message);
    this.code = code;
  }
}

/** How long nothing may move, as long as somebody waits for it. */
export interface SilenceLimit {
  readonly limitMs: number;
  readonly code: ConnectionFailure;
}

/** How requests are written where a proxy carries them, as if it were the server. */
export interface ThroughProxy {
  /** In front of the path: the absolute form. */
  readonly targetPrefix: string;
  /** For the proxy itself. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a connection needs of where it is kept. */
export interface Keeper {
  /** Takes it back, for the next request. */
  keep(connection: Connection, forMs: number): void;
}

/** A connection to a server, or to a proxy, that carries one request at a time. */
export class Connection {
  readonly reader: MessageReader;
  readonly proxy: ThroughProxy | undefined;
  /** Settles when the socket is closed. */
  readonly closed: Promise<void>;
  /** Whether it has carried a request before this one. */
  isReused = false;
  readonly #socket: Socket;
  readonly #bytes: SocketReader;
  readonly #keeper: Keeper;
  #unsentWrites = 0;
  #wasSilent = false;
  #receivedBefore = 0;
  #limit: SilenceLimit | undefined;

  /** @param bytes Reads the socket. */
  constructor(socket: Socket, bytes: SocketReader, keeper: Keeper, proxy?: ThroughProxy) {
    this.#socket = socket;
    this.#bytes = bytes;
    this.#keeper = keeper;
    this.proxy = proxy;
    this.reader = new MessageReader(bytes);
    this.closed = new Promise((resolve) => void socket.once('close', () => resolve()));
    socket.on('timeout', () => this.#onSilence());
  }

  /** Whether it is still there, and nothing has come that nobody asked for. */
  get isQuiet(): boolean {
    const { destroyed, writable } = this.#socket;
    return !destroyed && writable && this.reader.isEmpty && this.#bytes.isEmpty;
  }

  /**
   * Whether it was kept for this request, and nothing came: the server may have closed it before. Not
   * where it let us wait: it has the request.
   */
  get maybeStale(): boolean {
    return this.isReused && !this.#wasSilent && this.#bytes.receivedBytes === this.#receivedBefore;
  }

  /** Sends bytes, and settles when they may be overwritten. @throws if they cannot be sent. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#unsentWrites++;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
    } finally {
      this.#unsentWrites--;
    }
  }

  /** Ends it if nothing moves for too long, from now on. */
  limitSilence(limit: SilenceLimit | undefined): void {
    this.#limit = limit;
    this.#socket.setTimeout(limit?.limitMs ?? 0);
  }

  /** Keeps it for another request. @param forMs How long the server keeps it, at least. */
  release(forMs: number): void {
    this.limitSilence(undefined);
    if (this.isQuiet && forMs > 0) this.#keeper.keep(this, forMs);
    else this.destroy();
  }

  /** Waits for nothing but its end: a process may end meanwhile. */
  rest(onEnd: () => void): void {
    this.#socket.unref();
    this.#bytes.watch(onEnd);
  }

  /** Carries a request again. */
  wake(): void {
    this.isReused = true;
    this.#receivedBefore = this.#bytes.receivedBytes;
    this.#bytes.watch(undefined);
    this.#socket.ref();
  }

  /** @param reason What waits for it fails with this. */
  destroy(reason?: Error): void {
    this.#socket.destroy(reason);
  }

  #onSilence(): void {
    const limit = this.#limit;
    // A reader of ours may take all the time it wants.
    if (!limit || !(this.#bytes.isAwaited || this.#unsentWrites > 0)) {
      this.limitSilence(limit); // said once only
      return;
    }
    this.#wasSilent = true;
    this.destroy(new ConnectionError(`nothing moved for ${limit.limitMs / 1000} s`, limit.code));
  }
}
