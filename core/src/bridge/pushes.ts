import { digestOf, isDigest } from '../oci/index.ts';
import type { Digest } from '../oci/index.ts';
import type { RegistryResponse, Transport } from '../registry/transport.ts';

/** A manifest or an index that a tool has pushed, as the registry has confirmed it. */
export interface Pushed {
  /** In the registry's own words. */
  readonly repository: string;
  /** None if it was pushed by its digest alone. */
  readonly tag?: string;
  readonly digest: Digest;
}

/** Tells of what is pushed. */
export function tellingPushes(send: Transport, onPush: (pushed: Pushed) => void): Transport {
  return async (request) => {
    const response = await send(request);
    if (request.method !== 'PUT' || response.status !== 201) return response;
    const [bare = ''] = request.path.split('?');
    const [, repository, reference] = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(bare) ?? [];
    const digest = digestIn(response, request.body);
    if (repository === undefined || reference === undefined || !digest) return response;
    onPush(isDigest(reference) ? { repository, digest } : { repository, tag: reference, digest });
    return response;
  };
}

function digestIn({ headers }: RegistryResponse, body: unknown): Digest | undefined {
  const said = headers['docker-content-digest'] ?? '';
  if (isDigest(said)) return said;
  return body instanceof Uint8Array ? digestOf(body) : undefined;
}
