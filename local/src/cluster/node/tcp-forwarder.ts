import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** A host and a port. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** A listener that hands every connection on to one of its targets, in turn. */
export class TcpForwarder {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #targets: readonly Target[];
  #next = 0;
  #closed: Promise<void> | undefined;

  private constructor(targets: readonly Target[]) {
    this.#targets = targets;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#forward(socket));
  }

  /** Listens. @throws what listen says, such as EADDRINUSE or EACCES. */
  static async listen(at: Target, targets: readonly Target[]): Promise<TcpForwarder> {
    const forwarder = new TcpForwarder(targets);
    forwarder.#server.listen(at);
    await once(forwarder.#server, 'listening');
    return forwarder;
  }

  /** Where new connections go from now on; those that are open stay where they are. */
  setTargets(targets: readonly Target[]): void {
    this.#targets = targets;
  }

  /**
   * Stops listening at once; open connections live on, as with a real proxy's rules.
   *
   * @returns When the last connection is gone.
   */
  async close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
    await this.#closed;
  }

  /** Stops listening, and cuts every connection. */
  async destroy(): Promise<void> {
    const closed = this.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #forward(client: Socket): void {
    const target = this.#targets[this.#next++ % Math.max(1, this.#targets.length)];
    if (!target) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ ...target, allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    this.#join(client, server);
    this.#join(server, client);
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.pipe(to);
    from.once('error', () => to.resetAndDestroy());
    from.once('close', () => {
      this.#sockets.delete(from);
      if (!from.readableEnded) to.destroy();
    });
  }
}
