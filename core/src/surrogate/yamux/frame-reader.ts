import { headerBytes, parseHeader, types } from './frame.ts';
import type { Header } from './frame.ts';

/** Who is told what arrives, in its order. */
export interface FrameSink {
  readonly onHeader: (header: Header) => void;
  /** A part of the data that the last header has announced, not a copy; and whether there is more of it. */
  readonly onData: (part: Buffer, isMoreComing: boolean) => void;
  /** All of it has come. */
  readonly onDataEnd: () => void;
}

/** Tells frames apart, wherever the bytes are cut. It holds no more than part of a header. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #partial = Buffer.alloc(headerBytes);
  #partialBytes = 0;
  #missingDataBytes = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** @throws {YamuxError} for a header that is none, and what the sink throws. */
  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.byteLength;) {
      at += this.#missingDataBytes > 0 ? this.#readData(chunk, at) : this.#readHeader(chunk, at);
    }
  }

  #readData(chunk: Buffer, at: number): number {
    const part = chunk.subarray(at, at + this.#missingDataBytes);
    this.#missingDataBytes -= part.byteLength;
    this.#sink.onData(part, this.#missingDataBytes > 0);
    if (this.#missingDataBytes === 0) this.#sink.onDataEnd();
    return part.byteLength;
  }

  #readHeader(chunk: Buffer, at: number): number {
    if (this.#partialBytes === 0 && chunk.byteLength - at >= headerBytes) {
      this.#begin(parseHeader(chunk, at));
      return headerBytes;
    }
    const taken = chunk.copy(this.#partial, this.#partialBytes, at);
    this.#partialBytes += taken;
    if (this.#partialBytes === headerBytes) {
      this.#partialBytes = 0;
      this.#begin(parseHeader(this.#partial, 0));
    }
    return taken;
  }

  #begin(header: Header): void {
    this.#sink.onHeader(header);
    if (header.type !== types.data) return;
    this.#missingDataBytes = header.length;
    if (header.length === 0) this.#sink.onDataEnd();
  }
}
