import { ReposureError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

/**
 * The registry that an image is read from failed, after the retries. Never transient: whoever sends
 * the image must take it neither for a failure of their own side nor for one to try again.
 */
export class SourceError extends ReposureError {
  override readonly name = 'SourceError';
  /** That of the cause. */
  readonly code: ErrorCode;

  constructor(description: string, cause: unknown) {
    super(`Cannot read ${description}`, { cause });
    this.code = cause instanceof ReposureError ? cause.code : 'UNREACHABLE';
  }
}
