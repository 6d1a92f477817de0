import { ReposureError } from '@reposure/core';

/** Standard output takes no more: the disk behind it is full, or nobody reads on. */
export class StandardOutputError extends ReposureError {
  override readonly name = 'StandardOutputError';
  readonly code = 'OUTPUT_FAILED';
  /** `reposure image list | head`: there is nobody to tell. */
  readonly isClosed: boolean;

  constructor(cause: Error) {
    super('Cannot write the result to standard output', { cause });
    this.isClosed = 'code' in cause && cause.code === 'EPIPE';
  }
}

/**
 * Writes on standard output, and waits until it is taken.
 *
 * @throws {StandardOutputError} if it is not.
 */
export async function writeOut(chunk: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(chunk, (error) => {
      if (error) reject(new StandardOutputError(error));
      else resolve();
    });
  });
}
