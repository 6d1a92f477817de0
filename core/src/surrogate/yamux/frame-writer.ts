import type { Duplex } from 'node:stream';

import { encodeHeader, headerBytes } from './frame.ts';
import type { Header } from './frame.ts';

/** A data frame on its way. */
export interface DataFrame {
  readonly header: Header;
  readonly parts: readonly Uint8Array[];
  /** The transport has parted with them, or is lost. */
  readonly onSent?: () => void;
}

/** A stream that has something to send. */
export interface FrameSource {
  /** Its window update, if there is one due: several are sent as one. */
  takeUpdate(): Header | undefined;
  /** Its next data frame, if there is one and the other end has granted it. */
  takeData(maxBytes: number): DataFrame | undefined;
}

/** What is read from a file at a time: a frame for each, and no small one behind it. */
const maxDataBytes = 256 * 1024;
/** Given to the transport before a frame has to wait; what comes after cannot overtake these. */
const maxUnsentBytes = 256 * 1024;
/** No session that reads has so many answers to pings, or refusals, waiting for it. */
const maxWaitingControls = 1024;

/**
 * Puts frames on the transport as it takes them: first what is about the session, then window
 * updates, then data, of each stream in turn.
 */
export class FrameWriter {
  readonly #transport: Duplex;
  readonly #controls: Header[] = [];
  readonly #updates = new Set<FrameSource>();
  readonly #ready = new Set<FrameSource>();
  #unsentBytes = 0;
  #isPumping = false;
  #idle: (() => void) | undefined;

  constructor(transport: Duplex) {
    this.#transport = transport;
  }

  /**
   * Sends a frame ahead of everything else.
   *
   * @returns Whether it is sent: not if a thousand of them wait already.
   */
  sendControl(header: Header): boolean {
    if (this.#controls.length >= maxWaitingControls) return false;
    this.#controls.push(header);
    this.#pump();
    return true;
  }

  /** Sends the source's window update as soon as that is possible. */
  sendUpdate(source: FrameSource): void {
    this.#updates.add(source);
    this.#pump();
  }

  /** Sends the source's data as its turn comes. */
  sendData(source: FrameSource): void {
    this.#ready.add(source);
    this.#pump();
  }

  /** Sends nothing more of this source. */
  forget(source: FrameSource): void {
    this.#updates.delete(source);
    this.#ready.delete(source);
  }

  /** Settles as soon as nothing waits to be sent. */
  async flushed(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #pump(): void {
    // A stream that hears of room writes at once, which must not come before what was just taken.
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#unsentBytes < maxUnsentBytes && this.#transport.writable) {
      const frame = this.#next();
      if (!frame) break;
      this.#send(frame);
    }
    this.#isPumping = false;
  }

  #next(): DataFrame | undefined {
    const control = this.#controls.shift();
    if (control) return { header: control, parts: [] };
    for (const source of this.#updates) {
      this.#updates.delete(source);
      const header = source.takeUpdate();
      if (header) return { header, parts: [] };
    }
    for (const source of this.#ready) {
      this.#ready.delete(source);
      const frame = source.takeData(maxDataBytes);
      if (!frame) continue;
      this.#ready.add(source); // again, behind the others
      return frame;
    }
    return undefined;
  }

  #send({ header, parts, onSent }: DataFrame): void {
    const bytes = headerBytes + parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#unsentBytes += bytes;
    const sent = (): void => {
      this.#unsentBytes -= bytes;
      onSent?.();
      this.#pump();
      if (this.#isIdle()) this.#idle?.();
    };
    const chunks = [encodeHeader(header), ...parts];
    const last = chunks.pop();
    this.#transport.cork();
    for (const chunk of chunks) this.#transport.write(chunk);
    this.#transport.write(last, sent);
    this.#transport.uncork();
  }

  #isIdle(): boolean {
    const waiting = this.#controls.length + this.#updates.size + this.#ready.size;
    return this.#unsentBytes + waiting === 0;
  }
}
