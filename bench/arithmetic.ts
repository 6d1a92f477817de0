/** The middle one, or the mean of the two in the middle. @throws {RangeError} if there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined)
    throw new RangeError('Cannot take a median: no values');
  return (low + high) / 2;
}

/**
 * How many times of `base` each of `values` is, pair by pair, and of these the median: what slows
 * down both of a round does not count.
 *
 * @throws {RangeError} if there are not as many of the one as of the other.
 */
export function medianRatio(values: readonly number[], base: readonly number[]): number {
  if (values.length !== base.length) {
    throw new RangeError(`Cannot pair ${values.length} values with ${base.length}; want as many`);
  }
  return median(values.map((value, at) => value / (base[at] ?? Number.NaN)));
}

/** What a case promises. */
export interface Bar {
  readonly what: string;
  readonly actual: number;
  readonly limit: { readonly atMost: number } | { readonly atLeast: number };
  /** What could be had with the same work, if it were spread over all cores and none ever waited. */
  readonly atBest?: number;
  /** What someone has who does nothing but go the same way. */
  readonly bare?: number;
  /** `s`, `MB`, `s/GiB`; a ratio has none. */
  readonly unit?: string;
}

/** Whether it is kept. What is not a number is not. */
export function isMet({ actual, limit }: Bar): boolean {
  return 'atMost' in limit ? actual <= limit.atMost : actual >= limit.atLeast;
}
