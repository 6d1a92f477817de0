/** The first and the last byte that are asked for. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a `Range` header.
 *
 * @param size Of the whole, in bytes.
 * @returns `undefined` if the whole is to be sent: no range, several of them, or not understood;
 * `'unsatisfiable'` if nothing of what is asked for is there.
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-range
 */
export function byteRangeOf(
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const suffix = /^bytes=-(\d+)$/.exec(header ?? '')?.[1];
  if (suffix !== undefined) return within(Math.max(size - Number(suffix), 0), size - 1);
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined) return undefined;
  const end = last ? Number(last) : Infinity;
  if (end < Number(first)) return undefined;
  return within(Number(first), Math.min(end, size - 1));
}

function within(start: number, end: number): ByteRange | 'unsatisfiable' {
  return start > end ? 'unsatisfiable' : { start, end };
}
