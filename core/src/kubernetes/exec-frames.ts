/**
 * The channels of an exec: the first byte of every message.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go
 */
export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const;

/** Ends stdin; only `v5.channel.k8s.io` knows it. */
export const endOfStdin: Buffer = Buffer.of(channels.close, channels.stdin);

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
