import { InputError, ReposureError } from '@reposure/core';
import type { ErrorCode } from '@reposure/core';

/** What a person can mend, who wrote the input. */
const mendable: ReadonlySet<ErrorCode> = new Set([
  'CONTENT_INVALID',
  'CONTENT_NOT_FOUND',
  'INPUT_INVALID',
  'NOT_FOUND',
  'TIMEOUT',
]);

/**
 * Does what inputs ask for; what is wrong with them is said under their names.
 *
 * @throws {InputError} that names them, if what they name is not there, or is not what it should be.
 */
export async function forInputs<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof ReposureError && mendable.has(cause.code))) throw cause;
    const [first, ...rest] = names.map((name) => `"${name}"`);
    const named = rest.length > 0 ? `inputs ${first} and ${rest.join(', ')}` : `input ${first}`;
    throw new InputError(`Cannot use the ${named}`, { cause });
  }
}
