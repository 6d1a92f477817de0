import { collect, streamOf } from '../bytes.ts';
import type { ServiceResponse } from '../kubernetes/client.ts';
import { maxManifestBytes } from '../oci/index.ts';
import type { RegistryRequest, RegistryResponse } from '../registry/transport.ts';
import { contentDigestOf } from './content-digest.ts';
import { SignatureError, verifySignature } from './message-signature.ts';
import { answerComponents, isBlob, isBodiless, locationHeader } from './signed-messages.ts';

/** How a request was signed, for its answer to fit. */
export interface RequestSeal {
  readonly key: string;
  readonly keyId: string;
  readonly nonce: string;
}

/** An answer of the surrogate's, and when it was signed by its clock. */
export interface VerifiedAnswer {
  readonly response: RegistryResponse;
  readonly createdSeconds: number;
}

/**
 * Verifies that an answer comes from somebody who has the key, and is to this very request.
 *
 * @returns The answer with the headers that are covered. The bytes of a blob are not: whoever reads
 *   one compares them with its digest.
 * @throws {SignatureError} otherwise.
 */
export async function verifiedAnswer(
  answer: ServiceResponse,
  asked: Pick<RegistryRequest, 'method' | 'path'>,
  seal: RequestSeal,
): Promise<VerifiedAnswer> {
  const { status } = answer;
  const message = { status, headers: { ...answer.headers } };
  const { covered, nonce, createdSeconds } = await verifySignature(message, {
    keyOf: (keyId) => (keyId === seal.keyId ? seal.key : undefined),
    required: answerComponents,
  });
  if (nonce !== seal.nonce) throw new SignatureError('it is the answer to another request');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (covered.has(name)) headers[name === locationHeader ? 'location' : name] = value;
  }
  return { response: await withBody(answer, asked, headers), createdSeconds };
}

async function withBody(
  answer: ServiceResponse,
  { method, path }: Pick<RegistryRequest, 'method' | 'path'>,
  headers: Record<string, string>,
): Promise<RegistryResponse> {
  const { status } = answer;
  const expected = headers['content-digest'];
  if (isBodiless(method, status)) {
    await answer.discard();
    return { status, headers, body: streamOf(), discard: async () => {} };
  }
  if (expected === undefined) {
    if (!isBlob(method, path, status)) throw new SignatureError('it does not cover the body');
    return { ...answer, headers };
  }
  const body = await collect(answer.body, "the surrogate's answer", maxManifestBytes);
  if (contentDigestOf(body) !== expected) throw new SignatureError('its body is another one');
  return { status, headers, body: streamOf(body), discard: async () => {} };
}
