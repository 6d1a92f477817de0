import { ReposureError } from '../errors.ts';
import { codeOf } from './file-bytes.ts';

/** There is no room left for what was to be written, or the user may not have more of it. */
export class DiskFullError extends ReposureError {
  override readonly name = 'DiskFullError';
  readonly code = 'DISK_FULL';
}

/** Where something is written, as it is called in messages. */
export interface Place {
  readonly path: string;
  /** Whether the path is ours, so that the next step is to choose another folder for such. */
  readonly isTemporary?: boolean;
}

/**
 * Runs what writes to a place: the system's own error for a full disk does not name it.
 *
 * @throws {DiskFullError} if there is no room.
 */
export async function writing<T>(place: Place, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw writingError(error, place);
  }
}

function writingError(error: unknown, { path, isTemporary = false }: Place): unknown {
  if (!/^(?:ENOSPC|EDQUOT|EFBIG)$/.test(codeOf(error))) return error;
  const otherwise = isTemporary ? ', or set TMPDIR to another folder' : '';
  return new DiskFullError(`Cannot write ${path}: the disk is full; free space there${otherwise}`, {
    cause: error,
  });
}
