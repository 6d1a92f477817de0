import { ReposureError } from '../errors.ts';

/** A source does not hold content that one of its manifests names. */
export class ContentNotFoundError extends ReposureError {
  override readonly name = 'ContentNotFoundError';
  readonly code = 'CONTENT_NOT_FOUND';
}
