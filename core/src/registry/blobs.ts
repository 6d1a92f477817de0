import type { ByteStream } from '../bytes.ts';
import { UnsupportedError } from '../errors.ts';
import { ContentMismatchError, verified } from '../oci/index.ts';
import type { Descriptor, Digest } from '../oci/index.ts';
import { ask } from './answer.ts';
import { blobPath } from './path.ts';
import type { RegistryResponse, Transport } from './transport.ts';

/** Where reading a blob begins, and what ends it early. */
export interface OpenOptions {
  /** Skips so many bytes: where a download goes on. */
  readonly offset?: number | undefined;
  /** `false` for a caller that hashes the whole itself; from an offset on it is never verified. */
  readonly isVerified?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** How a content is named where only these two count. */
export type Addressed = Pick<Descriptor, 'digest' | 'size'>;

/** The blobs of one registry. */
export class Blobs {
  readonly #request: Transport;

  constructor(request: Transport) {
    this.#request = request;
  }

  /** @returns Its size in bytes, or `undefined` if it is not there. */
  async stat(
    repository: string,
    digest: Digest,
    signal?: AbortSignal,
  ): Promise<number | undefined> {
    const path = blobPath(repository, digest);
    const response = await ask(this.#request, { method: 'HEAD', path, signal }, [200, 404]);
    await response.discard();
    if (response.status === 404) return undefined;
    return lengthOf(response) ?? (await this.#sizeByRange(path, digest, signal));
  }

  /** The size where HEAD does not tell it: what is answered to a range names the whole, too. */
  async #sizeByRange(
    path: string,
    digest: Digest,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const headers = { range: 'bytes=0-0' };
    const wanted = [200, 206, 404, 416]; // 416: the range of an empty blob
    const response = await ask(this.#request, { method: 'GET', path, headers, signal }, wanted);
    await response.discard();
    if (response.status === 404) return undefined;
    const [, total] = /^bytes [^/]+\/(\d+)$/.exec(response.headers['content-range'] ?? '') ?? [];
    const size = response.status === 200 ? lengthOf(response) : total && Number(total);
    if (typeof size === 'number') return size;
    throw new UnsupportedError(
      `Cannot learn the size of blob ${digest}: the registry tells it neither to HEAD nor to GET`,
    );
  }

  /** @see RegistryClient.openBlob */
  async open(
    repository: string,
    descriptor: Addressed,
    options: OpenOptions = {},
  ): Promise<ByteStream> {
    const { offset = 0, isVerified = true, signal } = options;
    const path = blobPath(repository, descriptor.digest);
    if (offset > 0) return await this.#openFrom(path, { ...descriptor, offset, signal });
    const response = await ask(this.#request, { method: 'GET', path, signal }, [200]);
    await refuseOtherSize(response, descriptor);
    return isVerified ? verified(response.body, descriptor) : response.body;
  }

  async #openFrom(
    path: string,
    wanted: Addressed & { offset: number; signal: AbortSignal | undefined },
  ): Promise<ByteStream> {
    const { offset, size, signal } = wanted;
    if (offset === size) return nothing();
    const headers = { range: `bytes=${offset}-` };
    const response = await ask(this.#request, { method: 'GET', path, headers, signal }, [200, 206]);
    // A registry may not know ranges, and answer with the whole.
    if (response.status === 200) return skip(response.body, offset);
    const [, start] = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '') ?? [];
    if (Number(start) === offset) return response.body;
    await response.discard();
    throw new ContentMismatchError(
      `Cannot go on reading ${wanted.digest} at byte ${offset}: the registry answered from byte ${start ?? 'unknown'}`,
    );
  }
}

/** The `Content-Length` of an answer, if it has one. */
export function lengthOf(response: RegistryResponse): number | undefined {
  const text = response.headers['content-length'] ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

async function refuseOtherSize(response: RegistryResponse, expected: Addressed): Promise<void> {
  const size = lengthOf(response);
  if (size === undefined || size === expected.size) return;
  await response.discard();
  throw new ContentMismatchError(
    `${expected.digest} has ${size} bytes in the registry; want ${expected.size}`,
  );
}

async function* skip(source: ByteStream, count: number): AsyncGenerator<Uint8Array, void> {
  let left = count;
  for await (const chunk of source) {
    if (left < chunk.byteLength) yield left > 0 ? chunk.subarray(left) : chunk;
    left = Math.max(0, left - chunk.byteLength);
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void> {
  // An empty stream: there is nothing after the last byte.
}
