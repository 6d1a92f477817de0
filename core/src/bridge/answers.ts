import type { ServerResponse } from 'node:http';

import { LimitExceededError } from '../bytes.ts';
import { explain, InputError, TimeoutError } from '../errors.ts';
import { KubernetesError } from '../kubernetes/kubernetes-error.ts';
import { ContentMismatchError } from '../oci/index.ts';
import { AuthenticationError, RegistryError } from '../registry/registry-error.ts';
import type { Diagnostic } from '../registry/registry-error.ts';
import { errorAnswer } from '../surrogate/far-error.ts';

const maxReasonLength = 400;

/** The error for a request that makes no sense. @param code Of the distribution API. */
export function refused(status: number, code: string, message: string): RegistryError {
  return new RegistryError('A request of the tool', status, [{ code, message }]);
}

/** What a tool is told of a failure: what the registry says in its own words, else our sentence. */
interface Said {
  readonly status: number;
  readonly diagnostics: readonly Diagnostic[];
}

function saidOf(error: unknown): Said {
  const message = explain(error);
  if (error instanceof RegistryError) {
    const { diagnostics } = error;
    // A success where none was to be expected is none.
    const status = error.status < 400 ? 502 : error.status;
    return { status, diagnostics: orOwn(diagnostics, 'UNKNOWN', message) };
  }
  if (error instanceof AuthenticationError) {
    // Not 401: it is not the tool's login that was refused, and another one of it changes nothing.
    return { status: 403, diagnostics: orOwn(error.diagnostics, 'DENIED', message) };
  }
  const [status, code] = kindOf(error);
  return { status, diagnostics: [{ code, message }] };
}

function orOwn(
  diagnostics: readonly Diagnostic[],
  code: string,
  message: string,
): readonly Diagnostic[] {
  return diagnostics.length > 0 ? diagnostics : [{ code, message }];
}

function kindOf(error: unknown): readonly [status: number, code: string] {
  if (error instanceof InputError || error instanceof URIError) return [400, 'NAME_INVALID'];
  if (error instanceof ContentMismatchError) return [400, 'DIGEST_INVALID'];
  if (error instanceof LimitExceededError) return [413, 'SIZE_INVALID'];
  if (error instanceof KubernetesError && [401, 403].includes(error.status)) return [403, 'DENIED'];
  if (error instanceof TimeoutError) return [504, 'UNAVAILABLE'];
  return [502, 'UNAVAILABLE'];
}

/**
 * Gives a tool the answer to what failed, unless another one has begun.
 *
 * Its sentence stands in the status line, too: docker shows nothing else of what has a status of 500 or more.
 */
export function sayFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const said = saidOf(error);
  const { status, body, ...answer } = errorAnswer(said.status, ...said.diagnostics);
  const headers = { ...answer.headers, ...patienceOf(error) };
  if (status < 500) response.writeHead(status, headers);
  else response.writeHead(status, reasonOf(error), headers);
  response.end(body);
}

/** How long the registry asks to be left alone. */
function patienceOf(error: unknown): Record<string, string> {
  const { retryAfterMs } = error instanceof RegistryError ? error : {};
  return retryAfterMs === undefined
    ? {}
    : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
}

function reasonOf(error: unknown): string {
  return explain(error)
    .replaceAll(/[^\u0020-\u007E]+/g, ' ')
    .slice(0, maxReasonLength);
}
