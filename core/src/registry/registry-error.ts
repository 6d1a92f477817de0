import { ReposureError } from '../errors.ts';

/**
 * What a registry says of a failure, in its own words.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */
export interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly detail?: unknown;
}

/** A registry answered with a status that the request did not allow for. */
export class RegistryError extends ReposureError {
  override readonly name = 'RegistryError';
  readonly code = 'REGISTRY_RESPONSE';
  readonly status: number;
  readonly diagnostics: readonly Diagnostic[];
  /** How long the registry asks to be left alone. */
  readonly retryAfterMs?: number;

  /** @param request `<method> <path>` without query and credentials, as it ends up in CI logs. */
  constructor(
    request: string,
    status: number,
    diagnostics: readonly Diagnostic[] = [],
    options: ErrorOptions & { readonly retryAfterMs?: number | undefined } = {},
  ) {
    super([`${request} answered ${status}`, ...diagnostics.map(describe)].join('; '), options);
    this.status = status;
    this.diagnostics = diagnostics;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether the same request may succeed later, as far as the status tells. */
  override get isTransient(): boolean {
    // 507: a full disk stays full until somebody acts.
    const { status } = this;
    return status === 408 || status === 429 || (status >= 500 && status !== 507);
  }

  /** Whether what was asked for is not there. */
  get isNotFound(): boolean {
    return this.status === 404;
  }
}

/** A registry wants a login that it was not given, or refuses the one that it was given. */
export class AuthenticationError extends ReposureError {
  override readonly name = 'AuthenticationError';
  readonly code = 'AUTHENTICATION';
  /** 401 if it is about who asks, 403 if it is about what they may do. */
  readonly status: 401 | 403;
  readonly diagnostics: readonly Diagnostic[];

  constructor(
    message: string,
    options: ErrorOptions & {
      readonly status?: 401 | 403;
      readonly diagnostics?: readonly Diagnostic[];
    } = {},
  ) {
    const diagnostics = options.diagnostics ?? [];
    super([message, ...diagnostics.map(describe)].join('; '), options);
    this.status = options.status ?? 401;
    this.diagnostics = diagnostics;
  }
}

/** A registry sends on to a place where no honest registry would. */
export class UnsafeRedirectError extends ReposureError {
  override readonly name = 'UnsafeRedirectError';
  readonly code = 'PROTOCOL';
}

function describe({ code, message }: Diagnostic): string {
  return message ? `${code}: ${message}` : code;
}
