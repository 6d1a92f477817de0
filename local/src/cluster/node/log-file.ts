import { EventEmitter, once } from 'node:events';
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';

const defaultMaxBytes = 10 * 1024 * 1024;

/** How a log is read. */
export interface LogReading {
  readonly follow?: boolean | undefined;
  readonly tailLines?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What one run of a container wrote; the last 10 to 20 MiB of it are kept. */
export class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #fd: number;
  #size = 0;
  #rotations = 0;
  #isEnded = false;

  constructor(path: string, maxBytes = defaultMaxBytes) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#fd = openSync(path, 'w', 0o600);
  }

  /** Adds to the log; the oldest part goes when there is too much. */
  append(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    if (this.#size > 0 && this.#size + bytes.byteLength > this.#maxBytes) this.#rotate();
    writeSync(this.#fd, bytes);
    this.#size += bytes.byteLength;
    this.#changes.emit('change');
  }

  /** Says that nothing more will come: whoever follows has come to the end. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    closeSync(this.#fd);
    this.#changes.emit('change');
  }

  /** The end of the log, for a message. */
  tail(maxLines: number, maxBytes: number): string {
    const bytes = readFileSync(this.#path);
    return lastLines(bytes, maxLines).subarray(-maxBytes).toString('utf8');
  }

  /** The log as it is; with `follow`, until the container has ended or the signal is given. */
  async *read({ follow, tailLines, signal }: LogReading = {}): AsyncGenerator<Uint8Array, void> {
    const at = { rotation: this.#rotations, position: this.#size };
    const all = readFileSync(this.#path);
    const wanted = tailLines === undefined ? all : lastLines(all, tailLines);
    if (wanted.byteLength > 0) yield wanted;
    for (;;) {
      if (!follow || signal?.aborted) return;
      const more = this.#readOn(at);
      if (more) yield more;
      else if (this.#isEnded) return;
      // The signal is how a follower is told to go, not a failure.
      else await once(this.#changes, 'change', signal ? { signal } : {}).catch(() => {});
    }
  }

  /** Read without a pause, so that no rotation comes in between. */
  #readOn(at: { rotation: number; position: number }): Uint8Array | undefined {
    for (; at.rotation < this.#rotations; at.rotation++, at.position = 0) {
      const isKept = at.rotation === this.#rotations - 1;
      const rest = isKept ? readFrom(`${this.#path}.1`, at.position) : undefined;
      at.position += rest?.byteLength ?? 0;
      if (rest) return rest;
    }
    const more = readFrom(this.#path, at.position);
    at.position += more?.byteLength ?? 0;
    return more;
  }

  /** Removes the files. */
  remove(): void {
    this.end();
    rmSync(this.#path, { force: true });
    rmSync(`${this.#path}.1`, { force: true });
  }

  #rotate(): void {
    closeSync(this.#fd);
    renameSync(this.#path, `${this.#path}.1`);
    this.#fd = openSync(this.#path, 'w', 0o600);
    this.#size = 0;
    this.#rotations += 1;
  }
}

function readFrom(path: string, position: number): Uint8Array | undefined {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(65_536);
    const size = readSync(fd, bytes, 0, bytes.byteLength, position);
    return size > 0 ? bytes.subarray(0, size) : undefined;
  } finally {
    closeSync(fd);
  }
}

function lastLines(bytes: Buffer, lines: number): Buffer {
  if (lines <= 0) return Buffer.alloc(0);
  let at = bytes.byteLength - 1;
  for (let found = 0; found < lines; found++) {
    at = at > 0 ? bytes.lastIndexOf(0x0a, at - 1) : -1;
    if (at === -1) return bytes;
  }
  return bytes.subarray(at + 1);
}
