import type { RegistryRequest } from './transport.ts';

/** What a request does to a repository, as token services write it. */
export interface Scopes {
  /** Sorted, so that equal rights have equal names. */
  readonly names: readonly string[];
  /** The repository that it is about, if it is about one. */
  readonly repository?: string;
}

/**
 * The rights that a request needs.
 *
 * @see https://distribution.github.io/distribution/spec/auth/scope/
 */
export function scopesOf({ method, path }: Pick<RegistryRequest, 'method' | 'path'>): Scopes {
  const [bare = '', query = ''] = path.split('?');
  if (bare === '/v2/_catalog') return { names: ['registry:catalog:*'] };
  const [, repository] = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(bare) ?? [];
  if (!repository) return { names: [] };
  const own = `repository:${repository}:${actionsOf(method, bare)}`;
  const from = new URLSearchParams(query).get('from');
  const mounted = from && from !== repository ? [`repository:${from}:pull`] : [];
  return { repository, names: [own, ...mounted].toSorted() };
}

function actionsOf(method: RegistryRequest['method'], path: string): string {
  // Whoever asks where an upload stands is about to go on with it.
  if (path.includes('/blobs/uploads/')) return 'pull,push';
  switch (method) {
    case 'GET':
    case 'HEAD':
      return 'pull';
    case 'PUT':
    case 'POST':
    case 'PATCH':
      return 'pull,push';
    case 'DELETE':
      return 'pull,push,delete';
  }
}
