import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import { collect, streamOf } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import { UnsupportedError } from '../errors.ts';
import { isDigest } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { RegistryResponse } from '../registry/transport.ts';
import type { Upload } from '../registry/uploads.ts';
import { retry } from '../retry.ts';
import { refused } from './answers.ts';
import { BridgeUpload } from './bridge-upload.ts';
import type { BridgeUploadOptions } from './bridge-upload.ts';

/** A request about an upload. */
export interface UploadRequest {
  readonly method: string;
  readonly repository: string;
  /** Empty where one is to begin. */
  readonly id: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: ByteStream | undefined;
}

/** Up to here, the last bytes travel inside the request that names the blob. */
const inlineBytes = 64 * 1024;
/** A tool that has hung up for so long does not come back. */
const idleMs = 10 * 60_000;
const cancelTimeMs = 2_000;

/** Reads what a request wants of an upload. @returns `undefined` if it is about something else. */
export function uploadPathOf(
  path: string,
): Pick<UploadRequest, 'repository' | 'id' | 'query'> | undefined {
  const [bare = '', query = ''] = path.split(/\?(.*)/s);
  const [, repository, id = ''] = /^\/v2\/(.+)\/blobs\/uploads\/?([^/]*)$/.exec(bare) ?? [];
  return repository === undefined
    ? undefined
    : { repository, id, query: new URLSearchParams(query) };
}

/**
 * The uploads of a bridge's tools. Each has an address of the bridge's own: the registry's changes
 * with every answer, and the bridge goes on there by itself after the route broke.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export class UploadEndpoint {
  readonly #uploads = new Map<string, BridgeUpload>();
  readonly #options: BridgeUploadOptions;

  constructor(options: BridgeUploadOptions) {
    this.#options = options;
  }

  /** @throws {RegistryError} for what the registry refuses, and what makes no sense. */
  async serve(request: UploadRequest): Promise<RegistryResponse> {
    if (request.id === '') return await this.#begin(request);
    const upload = this.#uploads.get(request.id);
    if (upload?.repository !== request.repository) throw unknownUpload(request);
    return await upload.inTurn(() => this.#goOn(upload, request));
  }

  /** Gives up the uploads that nobody comes back to. */
  async expire(): Promise<void> {
    const before = performance.now() - idleMs;
    await this.#cancel(
      [...this.#uploads].filter(([, { isIdle, usedAtMs }]) => isIdle && usedAtMs < before),
    );
  }

  /** Gives up all of them. */
  async close(): Promise<void> {
    await this.#cancel([...this.#uploads]);
  }

  async #cancel(uploads: readonly (readonly [string, BridgeUpload])[]): Promise<void> {
    const signal = AbortSignal.timeout(cancelTimeMs);
    for (const [id] of uploads) this.#uploads.delete(id);
    // A registry that cannot be reached forgets them by itself.
    await Promise.allSettled(uploads.map(([, upload]) => upload.cancel(signal)));
  }

  async #begin(request: UploadRequest): Promise<RegistryResponse> {
    const { method, repository, query } = request;
    if (method !== 'POST') throw refused(405, 'UNSUPPORTED', 'want POST, to begin an upload');
    const [digest, mount, from] = ['digest', 'mount', 'from'].map((key) => query.get(key));
    if (mount && from) return await this.#mount(repository, digestOf(mount), from);
    const { client, patience } = this.#options;
    const start = (): Promise<Upload> => client.startUpload(repository, patience.signal);
    const [id, upload] = this.#opened(await retry(start, patience));
    // All of it in one request.
    if (digest) return await upload.inTurn(() => this.#finish(id, upload, { ...request, id }));
    return begun(id, upload);
  }

  async #mount(repository: string, digest: Digest, from: string): Promise<RegistryResponse> {
    const { client, patience } = this.#options;
    const result = await retry(
      () => client.mountBlob(repository, digest, from, patience.signal),
      patience,
    );
    return result.mounted ? created(repository, digest) : begun(...this.#opened(result.upload));
  }

  #opened(begunUpload: Upload): [id: string, upload: BridgeUpload] {
    const { minChunkBytes = 0 } = begunUpload;
    if (minChunkBytes > this.#options.memory.totalBytes) {
      throw new UnsupportedError(
        `Cannot upload through the bridge: the registry wants chunks of ${minChunkBytes} bytes or more`,
      );
    }
    const upload = new BridgeUpload(begunUpload, this.#options);
    const id = randomUUID();
    this.#uploads.set(id, upload);
    return [id, upload];
  }

  async #goOn(upload: BridgeUpload, request: UploadRequest): Promise<RegistryResponse> {
    const { method, id } = request;
    switch (method) {
      case 'PATCH':
        requireOffset(upload, request);
        await upload.append(request.body ?? streamOf());
        return standing(202, id, upload);
      case 'PUT':
        return await this.#finish(id, upload, request);
      case 'GET':
      case 'HEAD':
        return standing(204, id, upload);
      case 'DELETE':
        await this.#cancel([[id, upload]]);
        return answer(204, {});
      default:
        throw refused(405, 'UNSUPPORTED', 'want PATCH, PUT, GET or DELETE of an upload');
    }
  }

  async #finish(
    id: string,
    upload: BridgeUpload,
    request: UploadRequest,
  ): Promise<RegistryResponse> {
    const { query, headers, body = streamOf(), repository } = request;
    const digest = digestOf(query.get('digest') ?? '');
    requireOffset(upload, request);
    const length = Number(headers['content-length'] ?? (request.body ? Infinity : 0));
    if (length > inlineBytes) await upload.append(body);
    const tail = length > inlineBytes ? new Uint8Array() : await collect(body, 'a body', length);
    try {
      const stored = await upload.finish(digest, tail);
      this.#uploads.delete(id);
      return created(repository, stored);
    } catch (error) {
      // What is refused will be refused again; the tool begins anew.
      if (error instanceof RegistryError && !error.isTransient) await this.#cancel([[id, upload]]);
      throw error;
    }
  }
}

function digestOf(text: string): Digest {
  if (isDigest(text)) return text;
  throw refused(400, 'DIGEST_INVALID', `Cannot use "${text}" as a digest: want sha256:<64 hex>`);
}

function unknownUpload({ repository }: UploadRequest): RegistryError {
  return refused(404, 'BLOB_UPLOAD_UNKNOWN', `${repository} has no such upload`);
}

/** @throws {RegistryError} (416) for a part that does not begin where the upload stands. */
function requireOffset(upload: BridgeUpload, { headers }: UploadRequest): void {
  const { 'content-range': range, 'content-length': length } = headers;
  if (range === undefined) return;
  // The specification has `0-99`; RFC 9110's own form is `bytes 0-99/*`.
  const [, start, end] = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(range.trim()) ?? [];
  if (start === undefined || end === undefined) {
    throw refused(400, 'BLOB_UPLOAD_INVALID', 'want Content-Range: <start>-<end>');
  }
  if (length !== undefined && Number(length) !== Number(end) - Number(start) + 1) {
    throw refused(400, 'SIZE_INVALID', 'Content-Range and Content-Length do not agree');
  }
  if (Number(start) === upload.offset) return;
  throw refused(416, 'BLOB_UPLOAD_INVALID', `the upload stands at ${upload.offset} bytes`);
}

function begun(id: string, upload: BridgeUpload): RegistryResponse {
  const { minChunkBytes } = upload;
  const minimum: Record<string, string> =
    minChunkBytes === undefined ? {} : { 'oci-chunk-min-length': String(minChunkBytes) };
  return standing(202, id, upload, minimum);
}

function standing(
  status: number,
  id: string,
  { repository, offset }: BridgeUpload,
  more: Record<string, string> = {},
): RegistryResponse {
  return answer(status, {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    // Of none at all as well, as registries have it: there is no other way to write it.
    range: `0-${Math.max(offset - 1, 0)}`,
    'docker-upload-uuid': id,
    ...more,
  });
}

function created(repository: string, digest: Digest): RegistryResponse {
  return answer(201, {
    location: `/v2/${repository}/blobs/${digest}`,
    'docker-content-digest': digest,
  });
}

function answer(status: number, headers: Record<string, string>): RegistryResponse {
  const length: Record<string, string> = status === 204 ? {} : { 'content-length': '0' };
  return { status, headers: { ...headers, ...length }, body: streamOf(), discard: async () => {} };
}
