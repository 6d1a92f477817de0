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

/**
 * Packs bytes for stdin into as few messages as will hold them.
 *
 * A message is never continued in a second WebSocket frame: the API server would take the first
 * byte of that one for a channel.
 */
export function* stdinMessages(chunks: readonly Uint8Array[]): Generator<Buffer, void> {
  let left = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  let message: Buffer | undefined;
  let filled = 0;
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.byteLength;) {
      if (!message) {
        message = Buffer.allocUnsafe(1 + Math.min(left, maxPayloadBytes));
        message[0] = channels.stdin;
        filled = 1;
      }
      const part = chunk.subarray(from, from + message.byteLength - filled);
      message.set(part, filled);
      [from, filled, left] = [
        from + part.byteLength,
        filled + part.byteLength,
        left - part.byteLength,
      ];
      if (filled < message.byteLength) continue;
      yield message;
      message = undefined;
    }
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
