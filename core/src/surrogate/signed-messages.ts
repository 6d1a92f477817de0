import type { Request } from 'http-message-signatures';

import { SignatureError } from './message-signature.ts';

// What both ends of the proxy route have to agree on. Each uses of a message what its signature
// covers, and nothing else: what is not covered might as well not be there.

/** Derived components that every request covers, and every answer. */
export const requestComponents = ['@method', '@path', '@query'] as const;
export const answerComponents = ['@status'] as const;

/** In place of `Location`, which the API server would rewrite. */
export const locationHeader = 'reposure-location';

/** Says that a request was not even looked at, and why. */
export const refusalHeader = 'reposure-refusal';

/** `key` is not known, `time` is not now, `seen` before; the first one is not signed. */
export type Refusal = 'key' | 'time' | 'seen';

/**
 * What is signed of a request.
 *
 * @param path Origin form: what the API server sees in front of it is not the gateway's.
 * @throws {SignatureError} if the path is none.
 */
export function signableRequest(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Request {
  // The name is covered by no signature: each end has another one for the gateway.
  return { method, url: `https://gateway${canonical(path)}`, headers: { ...headers } };
}

/** The API server decodes a path, and encodes it again in its own way. */
function canonical(path: string): string {
  const at = path.indexOf('?');
  const [bare, search] = at < 0 ? [path, ''] : [path.slice(0, at), path.slice(at)];
  try {
    const segments = bare.split('/').map((one) => encodeURIComponent(decodeURIComponent(one)));
    return segments.join('/') + search;
  } catch (cause) {
    throw new SignatureError('its path is not one', { cause });
  }
}

/**
 * Whether the body of a request may go uncovered: the bytes of an upload only. They become a blob by
 * a request that covers their digest, and the registry compares it.
 */
export function isUpload(method: string, path: string): boolean {
  return ['PATCH', 'PUT', 'POST'].includes(method) && /^\/v2\/[^?]+\/blobs\/uploads\//.test(path);
}

/** Whether the body of an answer goes uncovered: a blob, which its reader compares with its digest. */
export function isBlob(method: string, path: string, status: number): boolean {
  return (
    method === 'GET' &&
    (status === 200 || status === 206) &&
    /^\/v2\/[^?]+\/blobs\/[^/?]+$/.test(path)
  );
}

/** Whether an answer has no body, whatever its headers say. */
export function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}
