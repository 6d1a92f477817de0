import type { ByteStream } from '../bytes.ts';
import { ContentMismatchError, isDigest } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';
import { ask } from './answer.ts';
import { originForm } from './location.ts';
import { checkedDigest, repositoryPath } from './path.ts';
import { RegistryError } from './registry-error.ts';
import { requestLine } from './request-line.ts';
import type { Method, RegistryResponse, Transport } from './transport.ts';

/** An upload that a registry has begun. Whoever knows its location can write to it: keep it secret. */
export interface Upload {
  readonly repository: string;
  /** Origin form, with its query. */
  readonly location: string;
  /** How many bytes the registry has. */
  readonly offset: number;
  /** The registry refuses chunks that are smaller, but for the last one. */
  readonly minChunkBytes?: number;
}

/** What became of the wish to mount a blob from another repository. */
export type MountResult =
  | { readonly mounted: true }
  | { readonly mounted: false; readonly upload: Upload };

const octets = 'application/octet-stream';

/**
 * The uploads of one registry.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export class Uploads {
  readonly #request: Transport;

  constructor(request: Transport) {
    this.#request = request;
  }

  /** Begins an upload. */
  async start(repository: string, signal?: AbortSignal): Promise<Upload> {
    const path = repositoryPath(repository, 'blobs/uploads/');
    const response = await ask(this.#request, { method: 'POST', path, signal }, [202]);
    await response.discard();
    return begun(repository, path, response);
  }

  /** Asks for a blob of another repository, or else for an upload. */
  async mount(
    repository: string,
    digest: Digest,
    fromRepository: string,
    signal?: AbortSignal,
  ): Promise<MountResult> {
    repositoryPath(fromRepository, '');
    const query = new URLSearchParams({ mount: checkedDigest(digest), from: fromRepository });
    const path = `${repositoryPath(repository, 'blobs/uploads/')}?${query.toString()}`;
    const response = await ask(this.#request, { method: 'POST', path, signal }, [201, 202]);
    await response.discard();
    if (response.status === 201) return { mounted: true };
    return { mounted: false, upload: begun(repository, path, response) };
  }

  /** Asks the registry where an upload stands. */
  async stat(upload: Upload, signal?: AbortSignal): Promise<Upload> {
    const path = upload.location;
    const response = await ask(this.#request, { method: 'GET', path, signal }, [200, 204]);
    await response.discard();
    return { ...moved(upload, response), offset: offsetOf(response, upload.offset) ?? 0 };
  }

  /** Sends the next bytes. */
  async append(
    upload: Upload,
    body: ByteStream | Uint8Array,
    options: { readonly size: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Upload> {
    const { size, signal } = options;
    if (size === 0) return upload;
    const end = upload.offset + size;
    const headers = {
      'content-type': octets,
      'content-length': String(size),
      'content-range': `${upload.offset}-${end - 1}`,
    };
    const request = { method: 'PATCH' as const, path: upload.location, headers, body, signal };
    const response = await ask(this.#request, request, [201, 202, 204]);
    await response.discard();
    return { ...moved(upload, response), offset: offsetOf(response, end) ?? end };
  }

  /**
   * Turns what was sent into a blob.
   *
   * @returns The digest under which the registry keeps it: some keep all of them by one algorithm.
   */
  async finish(
    upload: Upload,
    digest: Digest,
    options: { readonly body?: Uint8Array; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Digest> {
    const { body, signal } = options;
    const separator = upload.location.includes('?') ? '&' : '?';
    const path = `${upload.location}${separator}digest=${encodeURIComponent(checkedDigest(digest))}`;
    const headers = body ? rangeHeaders(upload.offset, body) : {};
    const request = { method: 'PUT' as const, path, headers, ...(body ? { body } : {}), signal };
    const response = await ask(this.#request, request, [201]);
    await response.discard();
    refuseOtherDigest(response, digest);
    const stored = response.headers['docker-content-digest'];
    return stored !== undefined && isDigest(stored) ? stored : digest;
  }

  /** Tells the registry to forget an upload; one that it does not know is forgotten already. */
  async cancel(upload: Upload, signal?: AbortSignal): Promise<void> {
    const request = { method: 'DELETE' as const, path: upload.location, signal };
    const response = await ask(this.#request, request, [200, 202, 204, 404, 405]);
    await response.discard();
  }
}

/**
 * Compares the digest under which a registry says that it stored something.
 *
 * @throws {ContentMismatchError} if it is another one.
 */
export function refuseOtherDigest(response: RegistryResponse, digest: string): void {
  const stored = response.headers['docker-content-digest'];
  // Some registries name the same content by another algorithm: that proves nothing either way.
  if (!stored || stored === digest || algorithmOf(stored) !== algorithmOf(digest)) return;
  throw new ContentMismatchError(`The registry stored ${digest} as another digest: ${stored}`);
}

function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf(':'));
}

function rangeHeaders(offset: number, body: Uint8Array): Record<string, string> {
  const length = { 'content-type': octets, 'content-length': String(body.byteLength) };
  if (offset === 0 || body.byteLength === 0) return length;
  return { ...length, 'content-range': `${offset}-${offset + body.byteLength - 1}` };
}

function begun(repository: string, path: string, response: RegistryResponse): Upload {
  const location = locationOf(response, { method: 'POST', path });
  const minChunkBytes = Number(response.headers['oci-chunk-min-length'] ?? 0);
  const hasMinimum = Number.isSafeInteger(minChunkBytes) && minChunkBytes > 0;
  return { repository, location, offset: 0, ...(hasMinimum ? { minChunkBytes } : {}) };
}

function locationOf(response: RegistryResponse, asked: { method: Method; path: string }): string {
  const location = originForm(response.headers['location'] ?? '//', asked.path);
  if (location) return location;
  const diagnostics = [{ code: 'UNKNOWN', message: 'its Location is missing or not a URL' }];
  throw new RegistryError(requestLine(asked), response.status, diagnostics);
}

// The location of an upload changes with every answer: old ones may stop working.
function moved(upload: Upload, response: RegistryResponse): Upload {
  const { location } = response.headers;
  if (!location) return upload;
  return { ...upload, location: originForm(location, upload.location) ?? upload.location };
}

/**
 * `Range: 0-N` means N + 1 bytes, but many registries write `0-0` for none as well as for one byte:
 * it is one only where one byte was to be expected.
 */
function offsetOf(response: RegistryResponse, expected: number): number | undefined {
  const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(response.headers['range'] ?? '') ?? [];
  if (last === undefined) return undefined;
  if (Number(last) > 0) return Number(last) + 1;
  return expected === 1 ? 1 : 0;
}
