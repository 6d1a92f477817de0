import type { Digest } from '@reposure/core/oci';

import { byteRangeOf } from './byte-range.ts';
import { digestFrom } from './endpoint.ts';
import type { Answer, Exchange } from './exchange.ts';
import { Refusal } from './refusal.ts';

/**
 * `GET` and `HEAD` of a blob, or a part of it.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs
 */
export async function getBlob({
  store,
  repository,
  reference,
  request,
}: Exchange): Promise<Answer> {
  const digest = digestFrom(reference);
  const blob = await store.blobs.find(repository, digest);
  if (!blob) throw unknown(repository, digest);
  const headers = headersOf(digest);
  if (request.headers['if-none-match'] === headers.ETag) return { status: 304, headers };
  const isStale = (request.headers['if-range'] ?? headers.ETag) !== headers.ETag;
  const range = isStale ? undefined : byteRangeOf(request.headers.range, blob.size);
  if (range === undefined) return { status: 200, headers, body: blob };
  if (range === 'unsatisfiable') {
    const message = `the blob has ${blob.size} bytes`;
    const said = { 'Content-Range': `bytes */${blob.size}` };
    throw new Refusal(416, 'SIZE_INVALID', message, { headers: said });
  }
  const part = `bytes ${range.start}-${range.end}/${blob.size}`;
  return { status: 206, headers: { ...headers, 'Content-Range': part }, body: { ...blob, range } };
}

/** `DELETE` of a blob: this repository does not have it any longer. */
export async function deleteBlob({ store, repository, reference }: Exchange): Promise<Answer> {
  const digest = digestFrom(reference);
  if (!(await store.blobs.remove(repository, digest))) throw unknown(repository, digest);
  return { status: 202 };
}

function headersOf(
  digest: Digest,
): Record<'ETag' | 'Docker-Content-Digest', string> & Record<string, string> {
  return {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    ETag: `"${digest}"`,
  };
}

function unknown(repository: string, digest: Digest): Refusal {
  return new Refusal(404, 'BLOB_UNKNOWN', `${repository} has no blob ${digest}`);
}
