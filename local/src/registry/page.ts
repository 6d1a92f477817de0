import { Refusal } from './refusal.ts';

/** One page is never longer, whatever is asked for. */
const maxPage = 1000;

/** Some names of a list, and where the rest is. */
export interface Page {
  readonly names: readonly string[];
  /** `Link` to the next page, if there is more. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Cuts a page from a list.
 *
 * @param names Sorted.
 * @param path Of the list, for the link.
 * @throws {Refusal} (400) if `n` is not a number.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export function pageOf(names: readonly string[], path: string, query: URLSearchParams): Page {
  const size = Math.min(sizeAsked(query.get('n')), maxPage);
  const last = query.get('last');
  const rest = last === null ? names : names.filter((name) => name > last);
  const page = rest.slice(0, size);
  const end = page.at(-1);
  if (page.length === rest.length || end === undefined) return { names: page, headers: {} };
  const next = new URLSearchParams({ n: String(size), last: end });
  return { names: page, headers: { Link: `<${path}?${next.toString()}>; rel="next"` } };
}

function sizeAsked(text: string | null): number {
  if (text === null || text === '') return maxPage;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Refusal(400, 'PAGINATION_NUMBER_INVALID', 'want n to be a number that is not negative');
}
