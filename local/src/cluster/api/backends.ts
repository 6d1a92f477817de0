import type { Readable, Writable } from 'node:stream';

import type { StoredObject } from './object.ts';

/** A program to start in a container. */
export interface ExecRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  /** Whether the client sends a standard input; if not, `stdin` is at its end at once. */
  readonly stdin: boolean;
  readonly tty: boolean;
}

/** The client's side of an exec; each stream has flow control to the client. */
export interface ExecChannels {
  /** Ends when the client ends it, or is gone. */
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** Which lines of a container's log are wanted. */
interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly follow: boolean;
  readonly tailLines: number | undefined;
  readonly previous: boolean;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** Where a request through the API server is to go. */
interface ProxyTarget {
  readonly kind: 'service' | 'pod';
  readonly namespace: string;
  readonly name: string;
  /** A number or the name of a port; `''` for the only or the first one. */
  readonly port: string;
}

/** What the API asks of the node half: whatever runs. Each may throw a StatusError. */
export interface NodeBackends {
  exec(request: ExecRequest, channels: ExecChannels): Promise<{ readonly exitCode: number }>;
  logs(request: LogRequest): AsyncIterable<Uint8Array>;
  proxy(target: ProxyTarget): Promise<{ readonly host: string; readonly port: number }>;
  /** The address for a Service that asks for none. */
  allocateClusterIp?(service: StoredObject): string;
  /** The port for a NodePort Service that asks for none. */
  allocateNodePort?(): number;
}
