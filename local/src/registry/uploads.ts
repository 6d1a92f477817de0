import { isDigest, isRepository } from '@reposure/core/oci';

import { incomingOf } from './body.ts';
import { digestFrom } from './endpoint.ts';
import type { Answer, Exchange } from './exchange.ts';
import { rangeOf } from './store/uploads.ts';
import type { UploadKey } from './store/uploads.ts';

/**
 * `POST`: mounts a blob of another repository, takes a whole blob, or begins an upload.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#push
 */
export async function beginUpload(exchange: Exchange): Promise<Answer> {
  const { store, repository, query } = exchange;
  const mount = query.get('mount');
  if (mount !== null) {
    const from = query.get('from') ?? '';
    if (isRepository(from) && isDigest(mount)) {
      if (await store.blobs.mount(repository, mount, from)) return created(repository, mount);
    }
  } else if (query.has('digest')) {
    return uploadWhole(exchange, query.get('digest') ?? '');
  }
  return accepted(await store.uploads.create(repository), 0);
}

/** `GET`: how far an upload has come. */
export async function getUpload(exchange: Exchange): Promise<Answer> {
  const key = keyOf(exchange);
  return { ...accepted(key, await exchange.store.uploads.size(key)), status: 204 };
}

/** `PATCH`: adds bytes to an upload. */
export async function continueUpload(exchange: Exchange): Promise<Answer> {
  const key = keyOf(exchange);
  return accepted(key, await exchange.store.uploads.append(key, incomingOf(exchange.request)));
}

/** `PUT`: adds the last bytes, if any, and makes the upload a blob. */
export async function finishUpload(exchange: Exchange): Promise<Answer> {
  const digest = digestFrom(exchange.query.get('digest') ?? '');
  await exchange.store.uploads.finish(keyOf(exchange), digest, incomingOf(exchange.request));
  return created(exchange.repository, digest);
}

/** `DELETE`: forgets an upload. */
export async function cancelUpload(exchange: Exchange): Promise<Answer> {
  await exchange.store.uploads.remove(keyOf(exchange));
  return { status: 204 };
}

async function uploadWhole(exchange: Exchange, text: string): Promise<Answer> {
  const digest = digestFrom(text);
  const { store, repository, request } = exchange;
  const key = await store.uploads.create(repository);
  try {
    await store.uploads.finish(key, digest, incomingOf(request));
  } catch (error) {
    // The client was never told its id, so nobody would go on with it.
    await store.uploads.remove(key).catch(() => {});
    throw error;
  }
  return created(repository, digest);
}

function keyOf({ repository, reference }: Exchange): UploadKey {
  return { repository, id: reference };
}

function created(repository: string, digest: string): Answer {
  const location = `/v2/${repository}/blobs/${digest}`;
  return { status: 201, headers: { Location: location, 'Docker-Content-Digest': digest } };
}

/** Locations are relative: they stay right behind a proxy, and through a surrogate. */
function accepted({ repository, id }: UploadKey, size: number): Answer {
  return {
    status: 202,
    headers: {
      Location: `/v2/${repository}/blobs/uploads/${id}`,
      Range: rangeOf(size),
      'Docker-Upload-UUID': id,
    },
  };
}
