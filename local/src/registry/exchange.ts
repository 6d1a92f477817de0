import type { IncomingMessage } from 'node:http';

import type { ByteRange } from './byte-range.ts';
import type { Endpoint } from './endpoint.ts';
import type { Store } from './store/store.ts';

/** One request, read as far as its head. */
export interface Exchange extends Endpoint {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  readonly store: Store;
}

/** What is answered; `Content-Length` is added. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** In memory, or a part of a file. */
  readonly body?: string | Uint8Array | FileBody;
}

/** A file to answer with. */
export interface FileBody {
  readonly path: string;
  /** Of the file, in bytes. */
  readonly size: number;
  readonly range?: ByteRange | undefined;
}

/** Answers the requests of one method at one place. */
export type Respond = (exchange: Exchange) => Promise<Answer>;
