import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';

import { UnsupportedError } from '@reposure/core';

/** Whoever listens here owns the range; no program of a Pod uses this port. */
const claimPort = 61_999;
const rangeSize = 16 * 256;

/**
 * Loopback addresses of one cluster, which no other cluster on this machine has.
 *
 * Linux accepts connections on all of 127/8, so every Pod and every Service can have an address of
 * its own and the ports that its manifest says. A listener on the range's first address keeps it.
 */
export class AddressRange {
  readonly #base: number;
  readonly #claim: Server;
  readonly #taken = new Set<number>();
  /** Round robin: a freed address is the last to be used again. */
  #next = 2;

  private constructor(base: number, claim: Server) {
    this.#base = base;
    this.#claim = claim;
  }

  /**
   * Takes a range that is free.
   *
   * @throws {UnsupportedError} if this system has no loopback addresses beyond 127.0.0.1.
   */
  static async claim(): Promise<AddressRange> {
    let failure: unknown;
    for (let attempt = 0; attempt < 20; attempt++) {
      const base = randomBase();
      try {
        return new AddressRange(base, await listen(addressAt(base + 1)));
      } catch (error) {
        failure = error;
      }
    }
    throw new UnsupportedError(
      'Cannot start the embedded cluster: no loopback address beside 127.0.0.1 can be listened on; want Linux, where all of 127.0.0.0/8 is loopback',
      { cause: failure },
    );
  }

  /** An address nobody else in this cluster has. @throws {RangeError} if all 4,000 are taken. */
  take(): string {
    for (let tried = 2; tried < rangeSize; tried++) {
      const offset = this.#next;
      this.#next = offset + 1 < rangeSize - 1 ? offset + 1 : 2;
      if (!this.#taken.has(offset)) {
        this.#taken.add(offset);
        return addressAt(this.#base + offset);
      }
    }
    throw new RangeError('Cannot give an address: all of this cluster are taken');
  }

  /** Marks an address that an object already names as taken. */
  reserve(address: string): void {
    this.#taken.add(offsetOf(address) - this.#base);
  }

  /** Gives an address back; one of another range is ignored. */
  free(address: string): void {
    this.#taken.delete(offsetOf(address) - this.#base);
  }

  /** Gives the whole range back. */
  async close(): Promise<void> {
    const closed = once(this.#claim, 'close');
    this.#claim.close();
    await closed;
  }
}

/** 127.16.0.0 to 127.254.240.0 in steps of 4,096; the low ones are left to what a system uses itself. */
function randomBase(): number {
  const second = 16 + Math.floor(Math.random() * 239);
  const third = 16 * Math.floor(Math.random() * 16);
  return second * 65_536 + third * 256;
}

function addressAt(offset: number): string {
  return `127.${(offset >> 16) & 255}.${(offset >> 8) & 255}.${offset & 255}`;
}

function offsetOf(address: string): number {
  const [, second = 0, third = 0, fourth = 0] = address.split('.').map(Number);
  return second * 65_536 + third * 256 + fourth;
}

async function listen(host: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ host, port: claimPort });
  await once(server, 'listening');
  server.unref();
  return server;
}
