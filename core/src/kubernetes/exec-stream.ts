import { Duplex } from 'node:stream';

import { UnreachableError } from '../errors.ts';
import type { ExecExit } from './client.ts';
import { channels, endOfStdin, Tail } from './exec-frames.ts';
import { describeExit, exitOf } from './exec-status.ts';
import type { Fragment } from './websocket-parser.ts';
import type { WebSocket } from './websocket.ts';

type Done = (error?: Error | null) => void;

const bufferBytes = 262_144;
const keptStderrBytes = 65_536;
/** Load balancers in between drop a connection that is silent for a minute. */
const pingEveryMs = 10_000;
/** The kubelet drops an exec after four hours without data; a message without content is data. */
const touchEveryMs = 30 * 60_000;

/**
 * A program's stdin and stdout over one WebSocket.
 *
 * A write is done when the socket has taken it, and nothing is read that nobody asked for: memory
 * does not grow with what passes through.
 */
export class ExecStream extends Duplex {
  readonly exit: Promise<ExecExit>;
  readonly #socket: WebSocket;
  readonly #where: string;
  readonly #stderr = new Tail(keptStderrBytes);
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #settleExit: { resolve(exit: ExecExit): void; reject(reason: unknown): void };
  #ended: ExecExit | undefined;
  #waiting: Done | undefined;
  /** Of the message that is being heard; -1 for one without content. */
  #channel = -1;
  #status: Buffer[] = [];

  /** @param where `Pod ci/reposure-surrogate-default-0`, for messages. */
  constructor(socket: WebSocket, where: string) {
    super({ highWaterMark: bufferBytes });
    this.#socket = socket;
    this.#where = where;
    const { promise, resolve, reject } = Promise.withResolvers<ExecExit>();
    this.exit = promise;
    this.#settleExit = { resolve, reject };
    // Not everybody waits for it, and the stream has the error, too.
    promise.catch(() => {});
    socket.listen({
      onPart: (payload, place) => this.#onPart(payload, place),
      onClose: (code, cause) => this.#onClose(code, cause),
    });
    this.#keepAlive();
  }

  /** The last 64 KiB of stderr. */
  stderr(): string {
    return this.#stderr.toString();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.#send([chunk], done);
  }

  override _writev(entries: readonly { chunk: Uint8Array }[], done: Done): void {
    this.#send(
      entries.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: Done): void {
    // On v4 there is no way to say it; the far side learns it when the connection ends.
    if (this.#socket.protocol !== 'v5.channel.k8s.io') done();
    else this.#socket.sendShort(endOfStdin, () => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    for (const timer of this.#timers) clearInterval(timer);
    const reason = error ?? this.#lost('it was closed on this side');
    this.#finishWrite(reason);
    this.#settleExit.reject(reason);
    this.#socket.terminate();
    done(error);
  }

  #send(chunks: readonly Uint8Array[], done: Done): void {
    if (this.#ended) {
      done(this.#gone());
      return;
    }
    this.#waiting = done;
    this.#socket.send(channels.stdin, chunks, (error) => {
      this.#finishWrite(error ? this.#gone(error) : undefined);
    });
  }

  #finishWrite(error?: Error): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.(error);
  }

  #onPart(part: Buffer, { isFirst, isLast }: Pick<Fragment, 'isFirst' | 'isLast'>): void {
    if (isFirst) this.#channel = part[0] ?? -1;
    const payload = isFirst ? part.subarray(1) : part;
    if (this.#channel === channels.stdout) {
      if (!this.destroyed && !this.push(payload)) this.#socket.pause();
    } else if (this.#channel === channels.stderr) {
      this.#stderr.push(payload);
    } else if (this.#channel === channels.error) {
      this.#onStatus(payload, isLast);
    }
  }

  #onStatus(part: Buffer, isLast: boolean): void {
    this.#status.push(part);
    if (!isLast) return;
    const said = Buffer.concat(this.#status);
    this.#status = [];
    // The server begins with messages that have a channel and nothing in them.
    if (said.byteLength === 0) return;
    this.#ended = exitOf(said);
    this.#settleExit.resolve(this.#ended);
  }

  #onClose(code: number, cause: Error | undefined): void {
    for (const timer of this.#timers) clearInterval(timer);
    if (this.destroyed) return;
    if (!this.#ended) {
      this.destroy(this.#lost(`the connection was lost (WebSocket ${code})`, cause));
      return;
    }
    this.#finishWrite(this.#gone());
    this.once('end', () => this.destroy());
    this.push(null);
  }

  #keepAlive(): void {
    const every = (periodMs: number, work: () => void): void => {
      this.#timers.push(setInterval(work, periodMs).unref());
    };
    every(pingEveryMs, () => this.#socket.ping());
    every(touchEveryMs, () => this.#socket.sendShort(Buffer.of()));
  }

  #gone(cause?: Error): UnreachableError {
    if (!this.#ended) return this.#lost('the connection is closed', cause);
    const said = this.stderr().trim().slice(-1000);
    return new UnreachableError(
      `Cannot write to the program in ${this.#where}: it ${describeExit(this.#ended)}${said && `: ${said}`}`,
    );
  }

  #lost(state: string, cause?: Error): UnreachableError {
    return new UnreachableError(`Cannot go on with the program in ${this.#where}: ${state}`, {
      cause,
    });
  }
}
