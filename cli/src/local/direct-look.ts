import { NotFoundError } from '@reposure/core';
import { digestOf, manifestAccept } from '@reposure/core/oci';

/**
 * The digest of what a registry serves under a tag, hashed from the bytes that it sends: a look that
 * uses nothing of ours on the way.
 *
 * @param origin `http://host:port`
 * @throws {NotFoundError} if it serves nothing there.
 */
export async function digestAt(origin: string, repository: string, tag: string): Promise<string> {
  const url = `${origin}/v2/${repository}/manifests/${tag}`;
  const response = await fetch(url, { headers: { accept: manifestAccept } });
  const body = new Uint8Array(await response.arrayBuffer());
  if (!response.ok)
    throw new NotFoundError(`Cannot read ${url}: the registry answered ${response.status}`);
  return digestOf(body);
}
