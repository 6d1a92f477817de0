import type { ByteStream } from '../bytes.ts';

/** The methods of the distribution API. */
export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';

/** One request of the distribution API. */
export interface RegistryRequest {
  readonly method: Method;
  /** Origin form, from `/v2/` on, with its query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * A stream is read once, so whoever wants to send it again makes another request. It may overwrite
   * a chunk when it is asked for the next one: a transport has then parted with it, or has a copy.
   */
  readonly body?: Uint8Array | ByteStream;
  readonly signal?: AbortSignal | undefined;
}

/** What came back. Whoever gets it reads `body` to its end or calls `discard`. */
export interface RegistryResponse {
  readonly status: number;
  /** Names in lower case; a header that came several times is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** A chunk is valid until the next one is asked for: it may then be overwritten. */
  readonly body: ByteStream;
  /** Lets go of the rest of the body. */
  discard(): Promise<void>;
}

/**
 * Carries requests to one registry: the seam between what is asked and the way there.
 *
 * An answer of any status is an answer; a transport throws only if none came.
 *
 * @throws {UnreachableError} if the registry was not reached, or was lost before it answered.
 * @throws {AuthenticationError} if logging in failed, so that the request itself was not answered.
 */
export type Transport = (request: RegistryRequest) => Promise<RegistryResponse>;
