import { ReposureError } from '@reposure/core';

/** Why a container cannot start yet: it is tried again, for the missing part may still come. */
export class SetupError extends ReposureError {
  override readonly name = 'SetupError';
  readonly code = 'NOT_FOUND';
}
