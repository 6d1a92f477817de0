/**
 * The channels of an exec: the first byte of every message.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go
 */
export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const;

/** Ends stdin; only `v5.channel.k8s.io` knows it. */
export const endOfStdin: Buffer = Buffer.of(channels.close, channels.stdin);

/** A larger message costs the API server and the kubelet less; beyond this hardly, and 32 MiB breaks. */
const maxPayloadBytes = 131_072;

/** How many messages are kept for the next bytes: as many as wait for the socket at a time. */
const keptMessages = 4;

/** Packs bytes for stdin into messages, which are used again once the socket has taken them. */
export class StdinMessages {
  readonly #free: Buffer[] = [];

  /**
   * Packs bytes into as few messages as will hold them.
   *
   * A message is never continued in a second WebSocket frame: the API server would take the first
   * byte of that one for a channel.
   *
   * @returns Messages that belong to the caller until {@link giveBack}.
   */
  *pack(chunks: readonly Uint8Array[]): Generator<Buffer, void> {
    let message: Buffer | undefined;
    let filled = 1;
    for (const chunk of chunks) {
      for (let from = 0; from < chunk.byteLength;) {
        message ??= this.#take();
        const part = chunk.subarray(from, from + message.byteLength - filled);
        message.set(part, filled);
        from += part.byteLength;
        filled += part.byteLength;
        if (filled < message.byteLength) continue;
        yield message;
        [message, filled] = [undefined, 1];
      }
    }
    if (message) yield message.subarray(0, filled);
  }

  /** Takes back a message of {@link pack} that nobody reads any more. */
  giveBack(message: Buffer): void {
    if (this.#free.length >= keptMessages) return;
    this.#free.push(Buffer.from(message.buffer, message.byteOffset, 1 + maxPayloadBytes));
  }

  #take(): Buffer {
    const kept = this.#free.pop();
    if (kept) return kept;
    // Not from Node's own pool: it is written to again when it comes back.
    const message = Buffer.allocUnsafeSlow(1 + maxPayloadBytes);
    message[0] = channels.stdin;
    return message;
  }
}

/** The end of a text that may be long. */
export class Tail {
  readonly #maxBytes: number;
  #kept: Buffer = Buffer.alloc(0);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Uint8Array): void {
    const all = Buffer.concat([this.#kept, chunk]);
    // A copy: a slice would keep what was dropped.
    this.#kept = Buffer.from(all.subarray(Math.max(0, all.byteLength - this.#maxBytes)));
  }

  toString(): string {
    return this.#kept.toString();
  }
}
