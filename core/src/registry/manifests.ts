import { collect } from '../bytes.ts';
import {
  ContentInvalidError,
  ContentMismatchError,
  hasherOf,
  isDigest,
  isIndexType,
  isManifestType,
  manifestAccept,
  maxManifestBytes,
  parseDocument,
} from '../oci/index.ts';
import type { Descriptor, Digest, Document } from '../oci/index.ts';
import { ask } from './answer.ts';
import { lengthOf } from './blobs.ts';
import { checkedDigest, manifestPath } from './path.ts';
import type { RegistryResponse, Transport } from './transport.ts';
import { refuseOtherDigest } from './uploads.ts';

/** What is needed of a document to send it. */
export type Sendable = Pick<Document, 'bytes' | 'descriptor'>;

const headers = { accept: manifestAccept };

/** The manifests and indexes of one registry. */
export class Manifests {
  readonly #request: Transport;

  constructor(request: Transport) {
    this.#request = request;
  }

  /** @see RegistryClient.getManifest */
  async get(repository: string, reference: string, signal?: AbortSignal): Promise<Document> {
    const path = manifestPath(repository, reference);
    const response = await ask(this.#request, { method: 'GET', path, headers, signal }, [200]);
    const what = `manifest ${repository} ${reference}`;
    const bytes = await collect(response.body, what, maxManifestBytes);
    const document = parseDocument(bytes, mediaTypeOf(response));
    const stated = response.headers['docker-content-digest'];
    if (stated) refuseOtherContent(bytes, stated, what);
    if (!isDigest(reference)) return document;
    refuseOtherContent(bytes, reference, what);
    return { ...document, descriptor: { ...document.descriptor, digest: reference } };
  }

  /** @returns What a reference stands for, or `undefined` if it does not exist. */
  async stat(
    repository: string,
    reference: string,
    signal?: AbortSignal,
  ): Promise<Descriptor | undefined> {
    const path = manifestPath(repository, reference);
    const asked = { method: 'HEAD' as const, path, headers, signal };
    const response = await ask(this.#request, asked, [200, 404]);
    await response.discard();
    if (response.status === 404) return undefined;
    const descriptor = descriptorOf(response, reference);
    return descriptor ?? (await this.get(repository, reference, signal)).descriptor;
  }

  /** @see RegistryClient.putManifest */
  async put(
    repository: string,
    reference: string,
    document: Sendable,
    signal?: AbortSignal,
  ): Promise<void> {
    const path = manifestPath(repository, reference);
    const { bytes, descriptor } = document;
    if (isDigest(reference)) refuseOtherContent(bytes, reference, `manifest ${repository}`);
    const asked = {
      method: 'PUT' as const,
      path,
      headers: { 'content-type': descriptor.mediaType, 'content-length': String(bytes.byteLength) },
      body: bytes,
      signal,
    };
    // 201 by the specification; some registries say 200 or 202. The digest in the answer counts.
    const response = await ask(this.#request, asked, [200, 201, 202]);
    await response.discard();
    refuseOtherDigest(response, descriptor.digest);
  }

  /** Removes a manifest, and with it every tag that stands for it. */
  async delete(repository: string, digest: Digest, signal?: AbortSignal): Promise<void> {
    const path = manifestPath(repository, checkedDigest(digest));
    const asked = { method: 'DELETE' as const, path, signal };
    const response = await ask(this.#request, asked, [200, 202, 204]);
    await response.discard();
  }
}

// Servers that know no better say "some JSON": then the document's own word counts.
function mediaTypeOf(response: RegistryResponse): string | undefined {
  const [type = ''] = (response.headers['content-type'] ?? '').split(';');
  const named = type.trim().toLowerCase();
  const isVague = ['', 'application/json', 'text/plain', 'application/octet-stream'];
  return isVague.includes(named) ? undefined : named;
}

function descriptorOf(response: RegistryResponse, reference: string): Descriptor | undefined {
  const stated = response.headers['docker-content-digest'];
  const digest = stated ?? reference;
  const mediaType = mediaTypeOf(response);
  const size = lengthOf(response);
  if (!mediaType || size === undefined || !isDigest(digest)) return undefined;
  // A page for people, with status 200, is no manifest: then the content has to prove itself.
  if (!isManifestType(mediaType) && !isIndexType(mediaType)) return undefined;
  if (isDigest(reference) && digest !== reference) {
    throw new ContentMismatchError(`The registry answered with ${digest}; want ${reference}`);
  }
  return { mediaType, digest, size };
}

function refuseOtherContent(bytes: Uint8Array, digest: string, what: string): void {
  if (!isDigest(digest)) {
    throw new ContentInvalidError(`Cannot read ${what}: its digest is "${digest}"`);
  }
  const hasher = hasherOf(digest);
  hasher.update(bytes);
  const found = hasher.digest();
  if (found !== digest) {
    throw new ContentMismatchError(`Cannot use ${what}: its content is ${found}; want ${digest}`);
  }
}
