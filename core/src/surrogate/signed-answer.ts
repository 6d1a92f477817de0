import { contentDigestOf } from './content-digest.ts';
import type { GatewayAnswer } from './far-error.ts';
import { signatureHeaders } from './message-signature.ts';
import { answerComponents, isBodiless, locationHeader } from './signed-messages.ts';
import type { SignedRequest } from './signed-request.ts';

/** What the API server adds or changes on the way: it could not be covered. */
const unstable: ReadonlySet<string> = new Set(['cache-control', 'location', 'warning']);

/**
 * Signs an answer, with the key and the nonce of its request: an answer to another one does not fit.
 *
 * @param answer Its headers in lower case; its body, unless that goes uncovered.
 * @param createdSeconds Now, by the gateway's clock: clients go by it.
 * @returns All headers to send.
 */
export async function signedHeaders(
  answer: Pick<GatewayAnswer, 'status' | 'headers'> & { readonly body?: Buffer },
  { method, signature }: SignedRequest,
  createdSeconds: number,
): Promise<Record<string, string>> {
  const { status, body } = answer;
  const kept = Object.entries(answer.headers).filter(([name]) => !unstable.has(name));
  const headers: Record<string, string> = Object.fromEntries(kept);
  const { location, 'content-type': type } = answer.headers;
  if (location !== undefined) headers[locationHeader] = location;
  // The API server rewrites the links in pages; a registry has none to offer, what is in front of it may.
  if (type?.startsWith('text/html')) headers['content-type'] = 'text/plain';
  if (body && !isBodiless(method, status)) {
    headers['content-length'] = String(body.byteLength);
    headers['content-digest'] = contentDigestOf(body);
  }
  const seal = await signatureHeaders({ status, headers }, answerComponents, {
    ...signature,
    createdSeconds,
  });
  return { ...headers, ...seal };
}
