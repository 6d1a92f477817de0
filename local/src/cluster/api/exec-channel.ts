import { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

import type { RawData, WebSocket } from 'ws';

import type { ExecChannels } from './backends.ts';
import type { Fields } from './object.ts';
import { statusOf } from './status.ts';

/** Subprotocols that are spoken, best first. @see https://kubernetes.io/blog/2024/08/20/websockets-transition/ */
const execProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;

/** As real servers have it: 32 KiB and the channel's number. */
const maxMessageBytes = 32 * 1024;
/** What is held of a program's unread standard input before the client is made to wait. */
const stdinBufferBytes = 256 * 1024;

/** The streams of an exec on a WebSocket, with flow control in both directions. */
export class ExecChannel implements ExecChannels {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly #socket: WebSocket;
  readonly #gone = new AbortController();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.stdin = new Readable({
      highWaterMark: stdinBufferBytes,
      read: () => {
        if (socket.isPaused) socket.resume();
      },
    });
    this.stdout = this.#output(channel.stdout);
    this.stderr = this.#output(channel.stderr);
    socket.on('message', (message) => {
      this.#receive(bytesOf(message));
    });
    socket.on('close', () => {
      this.#end();
    });
    // What goes wrong closes the connection too, which is where it is handled.
    socket.on('error', () => {});
    // Real servers begin with an empty message; clients must cope with one.
    socket.send(Buffer.from([channel.stdout]));
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Sends what is still to be sent, then how the program ended, and closes. */
  async exit(end: { readonly exitCode: number } | { readonly error: unknown }): Promise<void> {
    const outputs = [this.stdout, this.stderr];
    await Promise.allSettled(
      outputs.map((output) => {
        if (!output.writableEnded && !output.destroyed) output.end();
        return finished(output, { readable: false });
      }),
    );
    if (this.signal.aborted) return;
    // Unread input must not keep the closing handshake from being read.
    this.stdin.destroy();
    this.#socket.resume();
    const status = 'error' in end ? statusOf(end.error) : exitStatusOf(end.exitCode);
    this.#send(channel.status, Buffer.from(JSON.stringify(status)), () => {
      this.#socket.close(1000);
    });
  }

  #receive(message: Buffer): void {
    const [number] = message;
    if (number === channel.close && message[1] === channel.stdin) this.#endStdin();
    if (number !== channel.stdin || message.length === 1) return;
    if (this.stdin.destroyed || this.stdin.readableEnded) return;
    if (!this.stdin.push(message.subarray(1))) this.#socket.pause();
  }

  #endStdin(): void {
    if (!this.stdin.destroyed && !this.stdin.readableEnded) this.stdin.push(null);
  }

  #end(): void {
    this.#gone.abort();
    this.#endStdin();
  }

  #output(number: number): Writable {
    return new Writable({
      highWaterMark: maxMessageBytes,
      write: (chunk: Buffer, _encoding, done) => {
        this.#sendAll(number, chunk, done);
      },
    });
  }

  // What a program still says to a client that is gone goes nowhere, as in a container.
  #sendAll(number: number, chunk: Buffer, done: () => void): void {
    if (chunk.length === 0 || this.signal.aborted) {
      done();
      return;
    }
    this.#send(number, chunk.subarray(0, maxMessageBytes), () => {
      this.#sendAll(number, chunk.subarray(maxMessageBytes), done);
    });
  }

  // `sent` is called when the system has taken the message: that is the flow control.
  #send(number: number, bytes: Uint8Array, sent: () => void): void {
    const message = Buffer.concat([Buffer.from([number]), bytes]);
    this.#socket.send(message, { binary: true }, () => {
      sent();
    });
  }
}

function bytesOf(message: RawData): Buffer {
  if (Buffer.isBuffer(message)) return message;
  return Array.isArray(message) ? Buffer.concat(message) : Buffer.from(message);
}

/** The Status that ends an exec. @see https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go */
function exitStatusOf(exitCode: number): Fields {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: error executing command, exit code ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

/** The best of the offered subprotocols, `false` for none that is spoken. */
export function chooseProtocol(offered: ReadonlySet<string>): string | false {
  return execProtocols.find((protocol) => offered.has(protocol)) ?? false;
}
