import { Duplex } from 'node:stream';

import type { WebSocket } from 'ws';

import { UnreachableError } from '../errors.ts';
import type { ExecExit } from './client.ts';
import { channels, endOfStdin, StdinMessages, Tail } from './exec-frames.ts';
import { describeExit, exitOf } from './exec-status.ts';

type Done = (error?: Error | null) => void;

const bufferBytes = 262_144;
const keptStderrBytes = 65_536;
/** Load balancers in between drop a connection that is silent for a minute. */
const pingEveryMs = 10_000;
/** The kubelet drops an exec after four hours without data; a message without content is data. */
const touchEveryMs = 30 * 60_000;

const withoutCompression = { binary: true, compress: false } as const;

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
  readonly #messages = new StdinMessages();
  readonly #stderr = new Tail(keptStderrBytes);
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #settleExit: { resolve(exit: ExecExit): void; reject(reason: unknown): void };
  #ended: ExecExit | undefined;
  #waiting: Done | undefined;
  #lastError: Error | undefined;

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
    // From the first moment on: messages may arrive in the same tick as the upgrade.
    socket.on('message', (message: Buffer) => this.#onMessage(message));
    socket.on('error', (error) => (this.#lastError = error));
    socket.once('open', () => this.#keepAlive());
    socket.once('close', (code) => this.#onClose(code));
  }

  /** The last 64 KiB of stderr. */
  stderr(): string {
    return this.#stderr.toString();
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
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
    const canEnd = this.#socket.protocol === 'v5.channel.k8s.io';
    if (!canEnd || this.#socket.readyState !== this.#socket.OPEN) {
      done();
      return;
    }
    this.#socket.send(endOfStdin, withoutCompression, () => done());
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
    if (this.#ended || this.#socket.readyState !== this.#socket.OPEN) {
      done(this.#gone());
      return;
    }
    this.#waiting = done;
    let unsent = 1;
    const sent = (error?: Error | null): void => {
      unsent--;
      if (error) this.#finishWrite(this.#gone(error));
      else if (unsent === 0) this.#finishWrite();
    };
    for (const message of this.#messages.pack(chunks)) {
      unsent++;
      this.#socket.send(message, withoutCompression, (error) => {
        if (!error) this.#messages.giveBack(message);
        sent(error);
      });
    }
    sent();
  }

  #finishWrite(error?: Error): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.(error);
  }

  #onMessage(message: Buffer): void {
    // The server begins with a message that has a channel and nothing in it.
    if (message.byteLength <= 1) return;
    const payload = message.subarray(1);
    if (message[0] === channels.stdout) {
      if (!this.destroyed && !this.push(payload)) this.#socket.pause();
    } else if (message[0] === channels.stderr) {
      this.#stderr.push(payload);
    } else if (message[0] === channels.error) {
      this.#ended = exitOf(payload);
      this.#settleExit.resolve(this.#ended);
    }
  }

  #onClose(code: number): void {
    for (const timer of this.#timers) clearInterval(timer);
    if (this.destroyed) return;
    if (!this.#ended) {
      this.destroy(this.#lost(`the connection was lost (WebSocket ${code})`));
      return;
    }
    this.#finishWrite(this.#gone());
    this.once('end', () => this.destroy());
    this.push(null);
  }

  #keepAlive(): void {
    const { OPEN } = this.#socket;
    const every = (periodMs: number, work: () => void): void => {
      const timer = setInterval(() => {
        if (this.#socket.readyState === OPEN) work();
      }, periodMs);
      this.#timers.push(timer.unref());
    };
    every(pingEveryMs, () => this.#socket.ping());
    every(touchEveryMs, () => this.#socket.send(Buffer.alloc(0), withoutCompression));
  }

  #gone(cause?: Error): UnreachableError {
    if (!this.#ended) return this.#lost('the connection is closed', cause);
    const said = this.stderr().trim().slice(-1000);
    return new UnreachableError(
      `Cannot write to the program in ${this.#where}: it ${describeExit(this.#ended)}${said && `: ${said}`}`,
    );
  }

  #lost(state: string, cause: Error | undefined = this.#lastError): UnreachableError {
    return new UnreachableError(`Cannot go on with the program in ${this.#where}: ${state}`, {
      cause,
    });
  }
}
