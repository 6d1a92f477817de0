import type { RegistryRequest } from './transport.ts';

/**
 * `<method> <path>` for messages and logs.
 *
 * The query is left out, and so is what follows `/uploads/`: whoever knows it can write to the upload.
 */
export function requestLine({ method, path }: Pick<RegistryRequest, 'method' | 'path'>): string {
  const [bare = ''] = path.split(/[?#]/);
  const shown = bare.startsWith('/v2/') ? bare.replace(/(\/blobs\/uploads\/).+$/, '$1…') : '/…';
  return `${method} ${shown}`;
}

/** `scheme://host/path` of a URL for messages: no userinfo, no query. */
export function describeUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
