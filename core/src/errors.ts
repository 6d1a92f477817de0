/** What a caller may catch and tell apart: interface, unlike messages. docs/troubleshooting.md has each. */
export const errorCodes = [
  'AUTHENTICATION',
  'CLUSTER_RESPONSE',
  'CONFLICT',
  'CONTENT_INVALID',
  'CONTENT_MISMATCH',
  'CONTENT_NOT_FOUND',
  'DISK_FULL',
  'INPUT_INVALID',
  'KUBECONFIG_INVALID',
  'LIMIT_EXCEEDED',
  'NOT_FOUND',
  'OUTPUT_FAILED',
  'PROTOCOL',
  'REGISTRY_RESPONSE',
  'ROLLOUT_FAILED',
  'TIMEOUT',
  'UNREACHABLE',
  'UNSUPPORTED',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** The base of every error that is not a programmer's: one sentence for a person, a code for a program. */
export abstract class ReposureError extends Error {
  abstract override readonly name: string;
  abstract readonly code: ErrorCode;

  /** Whether the same call may succeed later without anybody changing anything. */
  get isTransient(): boolean {
    return false;
  }

  /** Whether what is missing is on its way, as a Pod that is being replaced, and worth waiting for. */
  get isExpectedBack(): boolean {
    return false;
  }
}

/** What a person typed or wrote in a file is wrong; they can mend it. */
export class InputError extends ReposureError {
  override readonly name = 'InputError';
  readonly code = 'INPUT_INVALID';
}

/** Something that was named does not exist. */
export class NotFoundError extends ReposureError {
  override readonly name = 'NotFoundError';
  readonly code = 'NOT_FOUND';
}

/** The other side cannot be reached, or was lost on the way: worth another try. */
export class UnreachableError extends ReposureError {
  override readonly name = 'UnreachableError';
  readonly code = 'UNREACHABLE';
  readonly #isExpectedBack: boolean;

  constructor(message: string, options?: ErrorOptions & { readonly isExpectedBack?: boolean }) {
    super(message, options);
    this.#isExpectedBack = options?.isExpectedBack ?? false;
  }

  override get isExpectedBack(): boolean {
    return this.#isExpectedBack;
  }

  override get isTransient(): boolean {
    return true;
  }
}

/** Something did not happen in the time that was given to it. */
export class TimeoutError extends ReposureError {
  override readonly name = 'TimeoutError';
  readonly code = 'TIMEOUT';
}

/** The other side, or this version of Reposure, cannot do what was asked. */
export class UnsupportedError extends ReposureError {
  override readonly name = 'UnsupportedError';
  readonly code = 'UNSUPPORTED';
}

/** Whether trying the same again later may help; unknown errors are not worth it. */
export function isTransient(error: unknown): boolean {
  return error instanceof ReposureError && error.isTransient;
}

/** Whether it is worth waiting, for longer than a few tries take; see {@link ReposureError.isExpectedBack}. */
export function isExpectedBack(error: unknown): boolean {
  return error instanceof ReposureError && error.isExpectedBack;
}

/**
 * Says an error to a person: its message, and the messages of its causes that add something.
 *
 * @returns One paragraph, without a stack and without a trailing newline.
 */
export function explain(error: unknown): string {
  const said: string[] = [];
  for (let at: unknown = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
    const text = messageOf(at);
    if (text && !said.some((earlier) => earlier.includes(text))) said.push(text);
  }
  return said.join(': ') || 'unknown error';
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) {
    return error.errors.map(messageOf).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}
