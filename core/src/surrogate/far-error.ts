import {
  errorCodes,
  explain,
  isTransient,
  ReposureError,
  TimeoutError,
  UnreachableError,
} from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { AuthenticationError } from '../registry/registry-error.ts';
import type { RegistryResponse } from '../registry/transport.ts';

/** Names the header with an {@link ErrorCode}: the gateway speaks for itself, not the registry. */
const codeHeader = 'reposure-error';
/** `true` where another try may help. */
const transientHeader = 'reposure-error-transient';
/** The message, percent-encoded: an answer to HEAD has no body to carry it. */
const messageHeader = 'reposure-error-message';
const maxMessageLength = 1500;

/** What the surrogate met on its way to the registry, told on this side. */
export class FarError extends ReposureError {
  override readonly name = 'FarError';
  readonly code: ErrorCode;
  readonly #isTransient: boolean;

  constructor(message: string, code: ErrorCode, transient: boolean) {
    super(message);
    this.code = code;
    this.#isTransient = transient;
  }

  override get isTransient(): boolean {
    return this.#isTransient;
  }
}

/** A whole answer that the gateway gives by itself. */
export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * An error answer in the registry's own format.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */
export function errorAnswer(
  status: number,
  ...diagnostics: readonly { readonly code: string; readonly message: string }[]
): GatewayAnswer {
  const body = Buffer.from(`${JSON.stringify({ errors: diagnostics })}\n`);
  const headers = {
    'content-type': 'application/json',
    'content-length': String(body.byteLength),
  };
  return { status, headers, body };
}

/** Tells the client why the registry gave no answer, so that {@link farErrorOf} can rebuild it. */
export function failureAnswer(error: unknown): GatewayAnswer {
  const code = error instanceof ReposureError ? error.code : 'PROTOCOL';
  const message = explain(error).slice(0, maxMessageLength).toWellFormed();
  const answer = errorAnswer(code === 'TIMEOUT' ? 504 : 502, { code: 'UNAVAILABLE', message });
  const headers = {
    ...answer.headers,
    [codeHeader]: code,
    [transientHeader]: String(isTransient(error)),
    [messageHeader]: encodeURIComponent(message),
  };
  return { ...answer, headers };
}

/**
 * The error that the gateway met, if this answer is its own and not the registry's.
 *
 * @param hint Ends the message, with where to look further.
 */
export function farErrorOf(
  answer: Pick<RegistryResponse, 'headers'>,
  hint: string,
): ReposureError | undefined {
  const code = answer.headers[codeHeader];
  if (code === undefined) return undefined;
  const message = `${decoded(answer.headers[messageHeader])} (said by the surrogate${hint})`;
  const transient = answer.headers[transientHeader] === 'true';
  // Not one whose certificate has expired: nobody is to try that again.
  if (code === 'UNREACHABLE' && transient) return new UnreachableError(message);
  if (code === 'TIMEOUT') return new TimeoutError(message);
  if (code === 'AUTHENTICATION') return new AuthenticationError(message);
  return new FarError(message, knownCode(code), transient);
}

function decoded(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? '') || 'Cannot reach the registry';
  } catch {
    return 'Cannot reach the registry';
  }
}

/** A surrogate of another version may know codes that this one does not. */
function knownCode(text: string): ErrorCode {
  return errorCodes.find((code) => code === text) ?? 'PROTOCOL';
}
