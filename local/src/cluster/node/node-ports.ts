import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

const kept = 4;

/** Ports of 127.0.0.1 that the system chose, held until a Service gets them. */
export class NodePorts {
  readonly #held: Server[] = [];
  #isClosed = false;

  /** Holds the first ports. */
  async fill(): Promise<void> {
    while (this.#held.length < kept && !this.#isClosed) {
      const server = createServer((socket) => socket.destroy());
      server.unref();
      server.listen({ host: '127.0.0.1', port: 0 });
      await once(server, 'listening');
      this.#held.push(server);
    }
    if (this.#isClosed) this.close();
  }

  /** A port that is free from now on. */
  take(): number {
    const server = this.#held.shift();
    void this.fill();
    // More at once than were held: the range of real clusters, in the hope that nobody is there.
    if (!server) return 30_000 + Math.floor(Math.random() * 2768);
    const { port } = server.address() as AddressInfo;
    server.close();
    return port;
  }

  /** Lets every port go. */
  close(): void {
    this.#isClosed = true;
    for (const server of this.#held.splice(0)) server.close();
  }
}
