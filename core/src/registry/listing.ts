import * as z from 'zod';

import { collect, LimitExceededError } from '../bytes.ts';
import {
  ContentInvalidError,
  Index,
  isRepository,
  isTag,
  maxManifestBytes,
  mediaTypes,
  partsOf,
} from '../oci/index.ts';
import type { Descriptor, Digest } from '../oci/index.ts';
import { ask } from './answer.ts';
import { nextLink, originForm } from './location.ts';
import type { Manifests } from './manifests.ts';
import { checkedDigest, repositoryPath } from './path.ts';
import { RegistryError } from './registry-error.ts';
import { requestLine } from './request-line.ts';
import type { RegistryResponse, Transport } from './transport.ts';

const maxPages = 10_000;
// Some registries ignore the page size and answer with everything at once.
const maxPageBytes = 16 * 1024 * 1024;

const Tags = z.object({ tags: z.array(z.string()).nullish() });
const Repositories = z.object({ repositories: z.array(z.string()).nullish() });

/** What can be listed in one registry. */
export class Listing {
  readonly #request: Transport;
  readonly #manifests: Manifests;
  /** Repositories whose referrers are listed by tags: one answer tells for all of their manifests. */
  readonly #withoutReferrersApi = new Set<string>();

  constructor(request: Transport, manifests: Manifests) {
    this.#request = request;
    this.#manifests = manifests;
  }

  /** @see RegistryClient.listTags */
  async *tags(repository: string, signal?: AbortSignal): AsyncGenerator<string, void> {
    const path = repositoryPath(repository, 'tags/list');
    for await (const page of this.#pages(path, 1000, signal)) {
      const { tags } = await parsed(page, Tags);
      yield* (tags ?? []).filter(isTag);
    }
  }

  /** @see RegistryClient.listRepositories */
  async *repositories(signal?: AbortSignal): AsyncGenerator<string, void> {
    for await (const page of this.#pages('/v2/_catalog', 100, signal)) {
      const { repositories } = await parsed(page, Repositories);
      yield* (repositories ?? []).filter(isRepository);
    }
  }

  /** @see RegistryClient.referrers */
  async referrers(
    repository: string,
    digest: Digest,
    signal?: AbortSignal,
  ): Promise<readonly Descriptor[]> {
    const path = repositoryPath(repository, `referrers/${checkedDigest(digest)}`);
    if (this.#withoutReferrersApi.has(repository)) {
      return await this.#referrersByTag(repository, digest, signal);
    }
    const found: Descriptor[] = [];
    try {
      for await (const page of this.#pages(path, undefined, signal)) {
        const { manifests } = await parsed(page, Index, mediaTypes.ociIndex);
        found.push(...manifests);
      }
      return found;
    } catch (error) {
      if (!isUnknownApi(error)) throw error;
      this.#withoutReferrersApi.add(repository);
      return await this.#referrersByTag(repository, digest, signal);
    }
  }

  async #referrersByTag(
    repository: string,
    digest: Digest,
    signal?: AbortSignal,
  ): Promise<readonly Descriptor[]> {
    try {
      const tag = referrersTagOf(digest);
      const { content } = await this.#manifests.get(repository, tag, signal);
      return content.kind === 'index' ? content.index.manifests : [];
    } catch (error) {
      if (error instanceof RegistryError && error.isNotFound) return [];
      throw error;
    }
  }

  async *#pages(
    path: string,
    count: number | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Page, void> {
    let next = count ? `${path}?n=${count}` : path;
    for (let pages = 0; pages < maxPages; pages++) {
      const response = await this.#page(next, pages === 0 ? path : next, signal);
      yield { line: requestLine({ method: 'GET', path }), response };
      const link = nextLink(response.headers['link']);
      const following = link === undefined ? undefined : originForm(link, next);
      if (following === undefined) return;
      if (following === next || !following.startsWith('/v2/')) {
        throw new ContentInvalidError(
          `Cannot list ${path}: the link to its next page leads astray`,
        );
      }
      next = following;
    }
    throw new LimitExceededError(`Cannot list ${path}: it has more than ${maxPages} pages`);
  }

  // Registries refuse a page size beyond their own limit (PAGINATION_NUMBER_INVALID): then it is theirs.
  async #page(
    path: string,
    otherwise: string,
    signal: AbortSignal | undefined,
  ): Promise<RegistryResponse> {
    const wanted = path === otherwise ? [200] : [200, 400];
    const response = await ask(this.#request, { method: 'GET', path, signal }, wanted);
    if (response.status === 200) return response;
    await response.discard();
    return await ask(this.#request, { method: 'GET', path: otherwise, signal }, [200]);
  }
}

/**
 * The tag whose index lists what refers to a manifest, where a registry has no API for it.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
 */
export function referrersTagOf(digest: Digest): string {
  const { algorithm, hex } = partsOf(digest);
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
}

interface Page {
  readonly line: string;
  readonly response: RegistryResponse;
}

class UnknownApiError extends ContentInvalidError {}

async function parsed<T>(page: Page, schema: z.ZodType<T>, mediaType?: string): Promise<T> {
  const { line, response } = page;
  if (mediaType && response.headers['content-type']?.split(';')[0]?.trim() !== mediaType) {
    await response.discard();
    throw new UnknownApiError(`Cannot read the answer to ${line}: it is not ${mediaType}`);
  }
  const bytes = await collect(
    response.body,
    `the answer to ${line}`,
    mediaType ? maxManifestBytes : maxPageBytes,
  );
  const result = schema.safeParse(jsonOf(bytes));
  if (result.success) return result.data;
  throw new ContentInvalidError(`Cannot read the answer to ${line}: it is not such a list`);
}

// Registries without the referrers API answer 404, 405, or with a page for people.
function isUnknownApi(error: unknown): boolean {
  if (error instanceof UnknownApiError) return true;
  return error instanceof RegistryError && [400, 404, 405, 406, 501].includes(error.status);
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
