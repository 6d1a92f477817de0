import { createHmac, timingSafeEqual } from 'node:crypto';

import { httpbis } from 'http-message-signatures';
import type {
  Request,
  Response,
  SignatureParameters,
  SignConfig,
  VerifyConfig,
} from 'http-message-signatures';

import { ReposureError } from '../errors.ts';

/** A request or an answer, as far as it is signed; names of headers in lower case. */
export type Signable = Request | Response;

/** What a signature says besides that its maker knows the key. */
export interface SignatureFacts {
  readonly keyId: string;
  /** When it was made, by the clock of whoever made it: seconds since 1970. */
  readonly createdSeconds: number;
  /** What makes it one of a kind. */
  readonly nonce: string;
}

/** A signature that fits. */
export interface VerifiedSignature extends SignatureFacts {
  /** Derived components and headers; all others may have been changed, added or taken away. */
  readonly covered: ReadonlySet<string>;
}

/** What a message is verified with. */
export interface VerifyOptions {
  /** @returns Base64url, or `undefined` for a key that is not known. */
  readonly keyOf: (keyId: string) => string | undefined;
  /** What the signature has to cover, whatever else it covers. */
  readonly required: readonly string[];
}

/** A message is not signed by whom it should be, or is not as it was when it was signed. */
export class SignatureError extends ReposureError {
  override readonly name = 'SignatureError';
  readonly code = 'PROTOCOL';
}

/** Names the one signature of a message. */
const label = 'reposure';
const algorithm = 'hmac-sha256';

/**
 * Signs a message: all of the headers that it has, and `derived`.
 *
 * @param facts.key Base64url.
 * @returns The headers to add.
 * @see https://www.rfc-editor.org/rfc/rfc9421#section-3.1
 */
export async function signatureHeaders(
  message: Signable,
  derived: readonly string[],
  facts: SignatureFacts & { readonly key: string },
): Promise<Record<string, string>> {
  const { key, keyId, createdSeconds, nonce } = facts;
  const config: SignConfig = {
    name: label,
    key: { id: keyId, alg: algorithm, sign: async (base) => hmacOf(key, base) },
    fields: [...derived, ...Object.keys(message.headers)],
    params: ['created', 'keyid', 'nonce', 'alg'],
    paramValues: { created: new Date(createdSeconds * 1000), nonce },
  };
  // The same for both, but TypeScript does not unite the overloads.
  const signed = await ('status' in message
    ? httpbis.signMessage(config, message)
    : httpbis.signMessage(config, message));
  const { Signature: signature = '', 'Signature-Input': input = '' } = signed.headers;
  return { signature: String(signature), 'signature-input': String(input) };
}

/**
 * Verifies the one signature of a message; whether it is of this time, and comes for the first time,
 * is the caller's question.
 *
 * @throws {SignatureError} if there is none, or it does not fit.
 * @see https://www.rfc-editor.org/rfc/rfc9421#section-3.2
 */
export async function verifySignature(
  message: Signable,
  { keyOf, required }: VerifyOptions,
): Promise<VerifiedSignature> {
  const covered = new Set<string>();
  const facts: SignatureFacts[] = [];
  const config: VerifyConfig = {
    requiredFields: [...required],
    // Looked at by the caller, when it is known who says it.
    notAfter: Number.POSITIVE_INFINITY,
    componentParser: (name, parameters) => {
      if (parameters.size > 0) throw new SignatureError(`it covers a part of "${name}"`);
      covered.add(name);
      return null;
    },
    keyLookup: async (parameters) => {
      const { key, ...said } = factsOf(parameters, keyOf);
      facts.push(said);
      return { algs: [algorithm], verify: async (base, mac) => isHmacOf(key, base, mac) };
    },
  };
  const fits = await verified(message, config);
  const [only, ...others] = facts;
  if (fits !== true || only === undefined || others.length > 0) {
    throw new SignatureError(fits === null ? 'it is not signed' : 'its signature does not fit');
  }
  return { ...only, covered };
}

function factsOf(
  { keyid = '', created, nonce = '' }: SignatureParameters,
  keyOf: VerifyOptions['keyOf'],
): SignatureFacts & { readonly key: string } {
  const key = keyOf(keyid);
  if (key === undefined) throw new SignatureError('its key is not known');
  const createdSeconds = (created?.getTime() ?? 0) / 1000;
  if (!Number.isSafeInteger(createdSeconds)) throw new SignatureError('it names no time');
  // A structured field may also be a number.
  if (typeof nonce !== 'string') throw new SignatureError('its nonce is no text');
  return { key, keyId: keyid, createdSeconds, nonce };
}

async function verified(message: Signable, config: VerifyConfig): Promise<boolean | null> {
  try {
    return await ('status' in message
      ? httpbis.verifyMessage(config, message)
      : httpbis.verifyMessage(config, message));
  } catch (error) {
    if (error instanceof SignatureError) throw error;
    throw new SignatureError('its signature makes no sense', { cause: error });
  }
}

function hmacOf(key: string, bytes: Uint8Array): Buffer {
  return createHmac('sha256', Buffer.from(key, 'base64url')).update(bytes).digest();
}

function isHmacOf(key: string, bytes: Uint8Array, mac: Uint8Array): boolean {
  const expected = hmacOf(key, bytes);
  return mac.byteLength === expected.byteLength && timingSafeEqual(mac, expected);
}
