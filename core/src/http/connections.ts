import { connect } from './connect.ts';
import type { TlsSettings } from './connect.ts';
import { ConnectionError } from './connection.ts';
import type { Connection } from './connection.ts';
import { proxyFor } from './proxies.ts';
import type { Proxies } from './proxies.ts';

/** What connections are opened with. */
export interface ConnectionsOptions extends TlsSettings {
  readonly proxies?: Proxies | undefined;
}

/** How a connection is taken. */
export interface TakeOptions {
  /** One that nobody has used before. */
  readonly isFresh?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** More have not been of use at a time; those under way are not counted, as some wait for others. */
const maxIdle = 32;
/** Servers keep connections for 5 s and more: this end has to be the first to close one. */
const maxIdleMs = 4_000;

/** Connections to any number of origins, kept for the next request. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #open = new Set<Connection>();
  /** The one that was used last is the last. */
  readonly #idle = new Map<
    Connection,
    { readonly origin: string; readonly timer: NodeJS.Timeout }
  >();
  #renewals = 0;
  #isClosed = false;

  constructor(options: ConnectionsOptions = {}) {
    this.#options = options;
  }

  /**
   * A connection that carries nothing else; it is released or destroyed at the end.
   *
   * @param origin `scheme://host[:port]`
   * @throws as {@link connect}
   */
  async take(origin: string, { isFresh = false, signal }: TakeOptions = {}): Promise<Connection> {
    const kept = isFresh ? undefined : this.#wake(origin);
    return kept ?? (await this.#connect(origin, signal));
  }

  /** Uses none of the idle connections any more: where one was lost, the others may be, too. */
  renew(): void {
    this.#renewals++;
    for (const connection of this.#idle.keys()) connection.destroy();
  }

  /** Ends all of them, and what is under way on them. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#open) connection.destroy(closedHere());
    await Promise.all([...this.#open].map(({ closed }) => closed));
  }

  #wake(origin: string): Connection | undefined {
    const found = [...this.#idle].findLast(([, idle]) => idle.origin === origin);
    if (!found) return undefined;
    const [connection] = found;
    this.#forget(connection);
    connection.wake();
    return connection.isQuiet ? connection : this.#wake(origin);
  }

  async #connect(origin: string, signal: AbortSignal | undefined): Promise<Connection> {
    const { proxies = {}, ...tls } = this.#options;
    const url = new URL(origin);
    const way = { origin: url, proxy: proxyFor(url, proxies), tls };
    if (this.#isClosed) throw closedHere();
    const renewals = this.#renewals;
    const keep = (connection: Connection, forMs: number): void => {
      if (renewals === this.#renewals) this.#keep(connection, origin, forMs);
      else connection.destroy();
    };
    const connection = await connect(way, { keep }, signal);
    void this.#watch(connection);
    if (this.#isClosed) connection.destroy(closedHere());
    return connection;
  }

  async #watch(connection: Connection): Promise<void> {
    this.#open.add(connection);
    await connection.closed;
    this.#open.delete(connection);
    this.#forget(connection);
  }

  #keep(connection: Connection, origin: string, forMs: number): void {
    const [oldest] = this.#idle.keys();
    if (this.#idle.size >= maxIdle) oldest?.destroy();
    const end = (): void => connection.destroy();
    const timer = setTimeout(end, Math.min(forMs, maxIdleMs)).unref();
    this.#idle.set(connection, { origin, timer });
    connection.rest(end);
  }

  #forget(connection: Connection): void {
    clearTimeout(this.#idle.get(connection)?.timer);
    this.#idle.delete(connection);
  }
}

function closedHere(): ConnectionError {
  return new ConnectionError('the connections are closed already', 'CLOSED_HERE');
}
