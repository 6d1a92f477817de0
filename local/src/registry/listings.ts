import { mediaTypes, parseDocument } from '@reposure/core/oci';
import type { Descriptor } from '@reposure/core/oci';

import { digestFrom } from './endpoint.ts';
import type { Answer, Exchange } from './exchange.ts';
import { pageOf } from './page.ts';
import { Refusal } from './refusal.ts';
import type { ManifestStore, StoredManifest } from './store/manifests.ts';

/** `GET /v2/`: says that this is a registry. */
export async function getBase(): Promise<Answer> {
  return json({});
}

/**
 * `GET` of the tags of a repository.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export async function getTags({ store, repository, query }: Exchange): Promise<Answer> {
  if (!(await store.isKnown(repository))) {
    throw new Refusal(404, 'NAME_UNKNOWN', `there is no repository ${repository}`);
  }
  const tags = await store.manifests.tags(repository);
  const page = pageOf(tags, `/v2/${repository}/tags/list`, query);
  return json({ name: repository, tags: page.names }, page.headers);
}

/**
 * `GET` of the repositories that hold a manifest.
 *
 * @see https://distribution.github.io/distribution/spec/api/#listing-repositories
 */
export async function getCatalog({ store, query }: Exchange): Promise<Answer> {
  const page = pageOf(await store.repositories(), '/v2/_catalog', query);
  return json({ repositories: page.names }, page.headers);
}

/**
 * `GET` of the manifests that name a digest as their subject.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export async function getReferrers(exchange: Exchange): Promise<Answer> {
  const { store, repository, reference, query } = exchange;
  const found = await store.manifests.referrers(repository, digestFrom(reference));
  const all = await Promise.all(found.map((manifest) => describe(store.manifests, manifest)));
  const artifactType = query.get('artifactType');
  const manifests = artifactType ? all.filter((it) => it.artifactType === artifactType) : all;
  return json(
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    {
      'Content-Type': mediaTypes.ociIndex,
      ...(artifactType ? { 'OCI-Filters-Applied': 'artifactType' } : {}),
    },
  );
}

async function describe(store: ManifestStore, manifest: StoredManifest): Promise<Descriptor> {
  const { digest, mediaType, size } = manifest;
  const { content } = parseDocument(await store.read(manifest), mediaType);
  const own = content.kind === 'index' ? content.index : content.manifest;
  // An image manifest without a type of its own is of the type of its config.
  const fallback = content.kind === 'manifest' ? content.manifest.config.mediaType : undefined;
  const artifactType = own.artifactType ?? fallback;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType ? { artifactType } : {}),
    ...(own.annotations ? { annotations: own.annotations } : {}),
  };
}

function json(value: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(value),
  };
}
