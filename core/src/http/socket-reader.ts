import type { Readable } from 'node:stream';

/** Blocks of memory that the bytes of a socket are read into. */
interface Block {
  readonly bytes: Buffer;
  /** Read into so far. */
  filledBytes: number;
}

/** Bytes that were read, and lie in one block. */
interface Held {
  readonly block: Block;
  readonly start: number;
  end: number;
}

/** What a reader waits with. */
interface Waiter {
  readonly resolve: (result: IteratorResult<Buffer, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** For the heads of answers, and what has no body. */
const smallBytes = 16 * 1024;
/** Few system calls, and several at once still fit into a CPU's cache. */
const largeBytes = 256 * 1024;
/** Below this a block counts as full. */
const minRoomBytes = 4 * 1024;
/** One with its reader, one that is full, one that is filled. */
const usualLargeBlocks = 3;
/** So much is worth waking a reader for, while more of the same is coming. */
const worthReadingBytes = 128 * 1024;

/** What a reader is made with. */
export interface SocketReaderOptions {
  /** How many blocks it may fill ahead of its reader; with {@link SocketReader.feed} somebody else may bound it. */
  readonly maxLargeBlocks?: number;
  /** Told of what its reader takes, in bytes. */
  readonly onTaken?: (bytes: number) => void;
}

/**
 * Reads a socket into a few blocks of memory, again and again: Node's own way takes fresh memory for
 * every 64 KiB, which costs more than all the rest of receiving them.
 *
 * It reads ahead of its reader by two blocks, no more. A chunk is valid until the next one is asked for.
 *
 * @see https://nodejs.org/api/net.html#socketconnectoptions-connectlistener
 */
export class SocketReader implements AsyncIterableIterator<Buffer, undefined> {
  /** For the socket to be made with. */
  readonly onread = {
    buffer: (): Buffer => this.#room(),
    callback: (length: number): boolean => this.#take(length),
  };
  receivedBytes = 0;
  #socket: Readable | undefined;
  #filling: Block = { bytes: Buffer.allocUnsafeSlow(smallBytes), filledBytes: 0 };
  #wasFilled = false;
  readonly #free: Block[] = [];
  #largeBlocks = 0;
  readonly #ready: Held[] = [];
  #lent: Held | undefined;
  #waiter: Waiter | undefined;
  #isDue = false;
  #end: { readonly error?: Error } | undefined;
  #isPaused = false;
  #onArrival: (() => void) | undefined;
  readonly #maxLargeBlocks: number;
  readonly #onTaken: ((bytes: number) => void) | undefined;
  #unreadBytes = 0;
  #isMoreComing = false;

  constructor({ maxLargeBlocks = usualLargeBlocks, onTaken }: SocketReaderOptions = {}) {
    this.#maxLargeBlocks = maxLargeBlocks;
    this.#onTaken = onTaken;
  }

  /** Reads this socket, which was made with {@link onread}, or another stream that is {@link feed}'s. */
  attach(socket: Readable): void {
    this.#socket = socket;
    socket.on('end', () => this.end());
    socket.on('error', (error) => this.end(error));
    socket.on('close', () => this.end(new Error('the connection was closed')));
  }

  /** Reads a stream that is not made with {@link onread}: its bytes are copied. */
  attachCopying(stream: Readable): void {
    this.attach(stream);
    stream.on('data', (chunk: Buffer) => {
      if (!this.feed(chunk)) stream.pause();
    });
  }

  /**
   * Takes a copy of what a stream has read by itself.
   *
   * @param isMoreComing Soon: a reader is woken only once there is enough to be worth it.
   * @returns Whether there is room for more.
   */
  feed(chunk: Buffer, isMoreComing = false): boolean {
    this.#isMoreComing = isMoreComing;
    let goesOn = true;
    for (let done = 0; done < chunk.byteLength;) {
      const { bytes, filledBytes } = this.#withRoom();
      const copiedBytes = chunk.copy(bytes, filledBytes, done);
      goesOn = this.#take(copiedBytes);
      done += copiedBytes;
    }
    this.#withRoom(); // as Node asks at once, too: a full block is left before its bytes are read
    return goesOn;
  }

  /** Whether somebody waits for bytes. */
  get isAwaited(): boolean {
    return this.#waiter !== undefined;
  }

  /** Whether nothing has come that nobody has taken, not even the end. */
  get isEmpty(): boolean {
    return this.#ready.length === 0 && this.#end === undefined;
  }

  /** Nothing more comes; what is there is still read. @param error What its reader gets behind it. */
  end(error?: Error): void {
    if (this.#end) return;
    this.#end = error === undefined ? {} : { error };
    this.#isMoreComing = false;
    this.#arrived();
  }

  /** Tells once of whatever comes next, be it the end; meanwhile nobody may read. */
  watch(onArrival: (() => void) | undefined): void {
    this.#onArrival = onArrival;
    if (onArrival) this.#goOn();
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    this.#takeBack();
    const held = this.#isWorthReading ? this.#ready.shift() : undefined;
    if (held) return this.#lend(held);
    if (this.#end?.error !== undefined) throw this.#end.error;
    if (this.#end) return { done: true, value: undefined };
    return await new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Where the next bytes go. */
  #room(): Buffer {
    const { bytes, filledBytes } = this.#withRoom();
    return bytes.subarray(filledBytes);
  }

  #withRoom(): Block {
    const { bytes, filledBytes } = this.#filling;
    if (bytes.byteLength - filledBytes < minRoomBytes) {
      this.#filling = this.#free.pop() ?? this.#newBlock();
    }
    return this.#filling;
  }

  #newBlock(): Block {
    if (this.#wasFilled) this.#largeBlocks++;
    const bytes = Buffer.allocUnsafeSlow(this.#wasFilled ? largeBytes : smallBytes);
    return { bytes, filledBytes: 0 };
  }

  /** Takes what was read into the room. @returns Whether there is room for more. */
  #take(length: number): boolean {
    this.receivedBytes += length;
    this.#unreadBytes += length;
    const block = this.#filling;
    const start = block.filledBytes;
    const end = start + length;
    block.filledBytes = end;
    this.#wasFilled = end === block.bytes.byteLength;
    const last = this.#ready.at(-1);
    if (last?.block === block) last.end = end;
    else this.#ready.push({ block, start, end });
    this.#arrived();
    const isFull = block.bytes.byteLength - end < minRoomBytes;
    // The last block stays: TLS hands over what it has decrypted, also after it was told to stop.
    this.#isPaused ||= isFull && this.#spareBlocks() < 2;
    return !this.#isPaused;
  }

  #spareBlocks(): number {
    return this.#free.length + this.#maxLargeBlocks - this.#largeBlocks;
  }

  get #isWorthReading(): boolean {
    return !this.#isMoreComing || this.#unreadBytes >= worthReadingBytes;
  }

  #arrived(): void {
    const onArrival = this.#onArrival;
    this.#onArrival = undefined;
    onArrival?.();
    if (!this.#waiter || this.#isDue || !this.#isWorthReading) return;
    this.#isDue = true;
    // Not at once: TLS hands over 16 KiB at a time, and more of it is there already.
    setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    this.#isDue = false;
    const waiter = this.#waiter;
    if (!waiter) return;
    this.#waiter = undefined;
    const held = this.#ready.shift();
    if (held) waiter.resolve(this.#lend(held));
    else if (this.#end?.error !== undefined) waiter.reject(this.#end.error);
    else waiter.resolve({ done: true, value: undefined });
  }

  #lend(held: Held): IteratorResult<Buffer, undefined> {
    this.#lent = held;
    const bytes = held.end - held.start;
    this.#unreadBytes -= bytes;
    this.#onTaken?.(bytes);
    return { done: false, value: held.block.bytes.subarray(held.start, held.end) };
  }

  #takeBack(): void {
    const block = this.#lent?.block;
    this.#lent = undefined;
    const isInUse = block === this.#filling || block === this.#ready[0]?.block;
    if (block && !isInUse && block.bytes.byteLength === largeBytes) {
      block.filledBytes = 0;
      if (this.#spareBlocks() < this.#maxLargeBlocks) this.#free.push(block);
    }
    if (this.#spareBlocks() > 0) this.#goOn();
  }

  #goOn(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket?.resume();
  }
}
