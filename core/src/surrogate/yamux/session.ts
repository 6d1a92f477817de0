import type { Duplex } from 'node:stream';

import { UnreachableError } from '../../errors.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { flags, goAwayCodes, types, YamuxError } from './frame.ts';
import type { Header } from './frame.ts';
import { WindowPool } from './receive-window.ts';
import { YamuxStream } from './stream.ts';
import type { StreamLink } from './stream.ts';

/** At a time, of those that one end has opened. */
export const maxStreams = 128;

/** What a session is started with. */
export interface YamuxOptions {
  /** One end is the client, the other the server: it decides the numbers of streams. */
  readonly role: 'client' | 'server';
  /** Takes a stream that the other end opens; without this, such streams are refused. */
  readonly onStream?: (stream: YamuxStream) => void;
  /** The other end takes no more streams. */
  readonly onGoAway?: () => void;
  /** Once, before its streams are destroyed: with what broke it, if it was not {@link YamuxSession.destroy}. */
  readonly onClose?: (error: Error | undefined) => void;
}

/**
 * Streams over one transport, by yamux version 0.
 *
 * The transport is always read, whatever waits to be written: two ends that both send can never
 * wait for each other. What is read and not yet wanted is bounded by what was granted.
 *
 * @see https://github.com/hashicorp/yamux/blob/v0.1.2/spec.md
 */
export class YamuxSession {
  readonly #transport: Duplex;
  readonly #options: YamuxOptions;
  readonly #streams = new Map<number, YamuxStream>();
  readonly #writer: FrameWriter;
  readonly #link: StreamLink;
  readonly #pool = new WindowPool();
  readonly #opened = { here: 0, there: 0 };
  #nextId: number;
  /** Who waits for a stream to be over. */
  readonly #waiting = new Set<() => void>();
  #current: { readonly stream: YamuxStream | undefined; readonly flags: number } | undefined;
  #ping: { readonly value: number; readonly sentAt: number } | undefined;
  #pings = 0;
  #isClosed = false;

  /** @param transport Belongs to the session: it is destroyed with it. */
  constructor(transport: Duplex, options: YamuxOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#nextId = options.role === 'client' ? 1 : 2;
    this.#writer = new FrameWriter(transport);
    this.#link = {
      pool: this.#pool,
      sendUpdate: (stream) => this.#writer.sendUpdate(stream),
      sendData: (stream) => this.#writer.sendData(stream),
      release: (stream, reset) => this.#release(stream, reset),
    };
    const reader = new FrameReader({
      onHeader: (header) => this.#onHeader(header),
      onData: (part, isMore) => this.#current?.stream?.receive(part, isMore),
      onDataEnd: () => this.#onDataEnd(),
    });
    transport.on('data', (chunk: Buffer) => this.#read(reader, chunk));
    transport.once('end', () => this.#onEnd());
    transport.on('error', (error) => this.#close(error));
    transport.once('close', () => this.#close(new UnreachableError('The connection was closed')));
    this.ping();
  }

  /** How many streams are open. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /**
   * Opens a stream, as soon as there are fewer than {@link maxStreams}.
   *
   * @throws {UnreachableError} if the session is over, and the reason of the signal.
   */
  async openStream(signal?: AbortSignal): Promise<YamuxStream> {
    signal?.throwIfAborted();
    while (!this.#isClosed && this.#opened.here >= maxStreams) {
      await this.#change(signal);
      signal?.throwIfAborted();
    }
    if (this.#isClosed) throw new UnreachableError('Cannot open a stream: the session is over');
    const id = this.#nextId;
    this.#nextId += 2;
    return this.#add(id, flags.syn);
  }

  /** Settles when no stream is open, or the session is over. */
  async idle(): Promise<void> {
    while (!this.#isClosed && this.#streams.size > 0) await this.#change();
  }

  /** Asks for a sign of life, and measures how long it takes. */
  ping(): void {
    if (this.#isClosed) return;
    this.#pings = (this.#pings + 1) >>> 0;
    this.#ping = { value: this.#pings, sentAt: performance.now() };
    this.#sendControl(types.ping, flags.syn, this.#pings);
  }

  /** Says that this end takes no more streams, and settles when all that was written is on its way. */
  async goAway(): Promise<void> {
    if (this.#isClosed) return;
    this.#sendControl(types.goAway, 0, goAwayCodes.normal);
    await this.#writer.flushed();
  }

  /** Ends the session, its streams and its transport, at once. */
  destroy(): void {
    this.#close(undefined);
    this.#transport.destroy();
  }

  #read(reader: FrameReader, chunk: Buffer): void {
    if (this.#isClosed) return;
    try {
      reader.read(chunk);
    } catch (error) {
      if (!(error instanceof YamuxError)) throw error;
      this.#fail(error);
    }
  }

  #onEnd(): void {
    this.#close(new UnreachableError('The connection ended'));
    this.#transport.destroy();
  }

  #onHeader(header: Header): void {
    if (this.#isClosed) return;
    if (header.type === types.ping) this.#onPing(header);
    else if (header.type === types.goAway) this.#options.onGoAway?.();
    else this.#onStreamHeader(header);
  }

  #onPing({ flags: flagBits, length }: Header): void {
    if (flagBits === flags.syn) this.#sendControl(types.ping, flags.ack, length);
    if (flagBits !== flags.ack || length !== this.#ping?.value) return;
    const roundTripMs = performance.now() - this.#ping.sentAt;
    this.#pool.roundTripMs = Math.min(roundTripMs, this.#pool.roundTripMs ?? Infinity);
    this.#ping = undefined;
  }

  #onStreamHeader({ type, flags: flagBits, streamId, length }: Header): void {
    const isNew = (flagBits & flags.syn) > 0;
    const stream = isNew ? this.#accept(streamId) : this.#find(streamId);
    if (flagBits & flags.rst) stream?.reset();
    if (type === types.data) {
      stream?.announce(length);
      this.#current = { stream, flags: flagBits };
      return;
    }
    stream?.widen(length);
    if (flagBits & flags.fin) stream?.endInput();
  }

  #onDataEnd(): void {
    const { stream, flags: flagBits } = this.#current ?? { flags: 0 };
    this.#current = undefined;
    if (flagBits & flags.fin) stream?.endInput();
  }

  /** @returns `undefined` for one that is over on this side: what was under way is dropped. */
  #find(id: number): YamuxStream | undefined {
    const stream = this.#streams.get(id);
    if (!stream && this.#isOwn(id) && id >= this.#nextId) {
      throw new YamuxError(`Cannot take a frame of stream ${id}: it was never opened`);
    }
    return stream;
  }

  /** @returns `undefined` for one that is refused. */
  #accept(id: number): YamuxStream | undefined {
    if (this.#isOwn(id) || this.#streams.has(id)) {
      throw new YamuxError(`Cannot open stream ${id}: its number is not free`);
    }
    const { onStream } = this.#options;
    if (!onStream || this.#opened.there >= maxStreams) {
      this.#sendReset(id);
      return undefined;
    }
    const stream = this.#add(id, flags.ack);
    onStream(stream);
    return stream;
  }

  #isOwn(id: number): boolean {
    return id % 2 === this.#nextId % 2;
  }

  #add(id: number, greeting: number): YamuxStream {
    const stream = new YamuxStream(this.#link, id, greeting);
    stream.on('error', () => {}); // told to whoever reads or writes it
    this.#streams.set(id, stream);
    this.#opened[this.#isOwn(id) ? 'here' : 'there']++;
    return stream;
  }

  #release(stream: YamuxStream, reset: boolean): void {
    if (!this.#streams.delete(stream.id)) return;
    this.#writer.forget(stream);
    this.#opened[this.#isOwn(stream.id) ? 'here' : 'there']--;
    if (reset) this.#sendReset(stream.id);
    this.#changed();
  }

  #change(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #changed(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const settle of waiting) settle();
  }

  #sendReset(streamId: number): void {
    this.#sendControl(types.windowUpdate, flags.rst, 0, streamId);
  }

  #sendControl(type: number, flagBits: number, length: number, streamId = 0): void {
    if (this.#isClosed) return;
    const isTaken = this.#writer.sendControl({ type, flags: flagBits, streamId, length });
    if (!isTaken) this.#fail(new YamuxError('Cannot answer any more: the other end does not read'));
  }

  /** Tells the other end that it went wrong, if it reads. */
  #fail(error: YamuxError): void {
    const { protocolError: length } = goAwayCodes;
    this.#writer.sendControl({ type: types.goAway, flags: 0, streamId: 0, length });
    this.#close(error);
    this.#transport.end(() => this.#transport.destroy());
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onClose?.(error);
    for (const stream of this.#streams.values()) {
      stream.destroy(error ?? new UnreachableError('The session was closed'));
    }
    this.#changed();
  }
}
