import type { IncomingMessage } from 'node:http';

import { collect } from '../bytes.ts';
import type { ByteStream } from '../bytes.ts';
import { maxManifestBytes } from '../oci/index.ts';
import { contentDigestOf } from './content-digest.ts';
import { keyIdOf } from './gateway-keys.ts';
import type { GatewayKeys } from './gateway-keys.ts';
import { bodyOf, hasBody } from './gateway-messages.ts';
import { SignatureError, verifySignature } from './message-signature.ts';
import type { SignatureFacts } from './message-signature.ts';
import { isUpload, requestComponents, signableRequest } from './signed-messages.ts';

/** A request that somebody made who has a key. */
export interface SignedRequest {
  readonly method: string;
  /** Origin form, not checked yet. */
  readonly path: string;
  /** Those that the signature covers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signature: SignatureFacts & { readonly key: string };
  /** Signed with a key that may push. */
  readonly mayWrite: boolean;
}

/** Enough to be one of a kind, and not so much that remembering it costs. */
const nonceLengths = { min: 16, max: 64 } as const;

/** @throws {SignatureError} if no key is known that it is signed with. */
export async function signedRequestOf(
  request: IncomingMessage,
  keys: GatewayKeys,
): Promise<SignedRequest> {
  const { method = '', url: path = '' } = request;
  const headers = headersOf(request);
  if (keys.read.length + keys.write.length === 0) {
    throw new SignatureError('there is no key yet to check its signature with');
  }
  const known = new Map([...keys.read, ...keys.write].map((key) => [keyIdOf(key), key]));
  const { covered, ...facts } = await verifySignature(signableRequest(method, path, headers), {
    keyOf: (keyId) => known.get(keyId),
    required: requestComponents,
  });
  const { length } = facts.nonce;
  if (length < nonceLengths.min || length > nonceLengths.max) {
    throw new SignatureError('its nonce is too short or too long');
  }
  const key = known.get(facts.keyId) ?? '';
  return {
    method,
    path,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => covered.has(name))),
    signature: { ...facts, key },
    mayWrite: keys.write.includes(key),
  };
}

/** A header that came several times is joined: so it is signed, and so it is passed on. */
function headersOf(request: IncomingMessage): Record<string, string> {
  const entries = Object.entries(request.headers).map(([name, value = '']) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ]);
  return Object.fromEntries(entries);
}

/**
 * The body of a request, verified where the signature covers it; an upload is passed on as it comes.
 *
 * @throws {SignatureError} if it is another one than was signed, or should have been.
 */
export async function bodyOfSigned(
  asked: SignedRequest,
  request: IncomingMessage,
): Promise<Buffer | ByteStream | undefined> {
  const expected = asked.headers['content-digest'];
  if (expected === undefined) {
    if (!hasBody(request)) return undefined;
    if (isUpload(asked.method, asked.path)) return bodyOf(request);
    throw new SignatureError('Cannot take the request: its signature does not cover its body');
  }
  const body = await collect(bodyOf(request), 'the body of the request', maxManifestBytes);
  if (contentDigestOf(body) === expected) return body;
  throw new SignatureError('Cannot take the request: its body is not the one that was signed');
}
