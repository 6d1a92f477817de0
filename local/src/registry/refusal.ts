/**
 * The codes of the distribution API, and two that only Distribution has (`PAGINATION_NUMBER_INVALID`,
 * `UNKNOWN`).
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */
export type RefusalCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'PAGINATION_NUMBER_INVALID'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'UNKNOWN'
  | 'UNSUPPORTED';

/** What a refusal carries besides its code and message. */
export interface RefusalOptions extends ErrorOptions {
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is answered with an error: thrown anywhere below the handler, which sends it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: RefusalCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: RefusalCode, message: string, options: RefusalOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
  }
}

/** Whether something failed because the disk, or the quota, is full. */
export function isNoSpace(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (
    ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code) ||
    (error instanceof Refusal && error.status === 507)
  );
}

/** The registry's disk, or its quota, is full. */
export function noSpaceLeft(cause?: unknown): Refusal {
  const message = 'no space left on the registry; delete images or give it more storage';
  return new Refusal(507, 'DENIED', message, { cause });
}
