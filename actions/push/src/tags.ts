import { isLikelySecret, wordsOf } from '@reposure/action-shared';
import { InputError } from '@reposure/core';
import { parseDestination } from '@reposure/core/transfer';
import type { Destination } from '@reposure/core/transfer';

/**
 * The tags of the input, each of which a registry would take.
 *
 * @throws {InputError} if one is no reference, or looks like a credential, which must not become a name.
 */
export function parseTags(text: string): string[] {
  const tags = wordsOf(text);
  if (tags.length === 0) throw new InputError('is required');
  for (const [index, tag] of tags.entries()) {
    if (isLikelySecret(tag)) {
      throw new InputError(`entry ${index + 1} looks like a secret; want repository:tag`);
    }
    const host = hostOf(tag);
    parseDestination(host === undefined ? tag : tag.slice(host.length + 1));
  }
  return tags;
}

/**
 * Where the tags point, one destination per repository.
 *
 * @param hosts The registry's own names: what docker/metadata-action puts in front is taken off.
 * @throws {InputError} if a tag names another registry.
 */
export function destinationsOf(tags: readonly string[], hosts: readonly string[]): Destination[] {
  const byRepository = new Map<string, Set<string>>();
  for (const text of tags) {
    const { repository, tags: named } = parseDestination(withoutHost(text, hosts));
    const set = byRepository.get(repository) ?? new Set();
    for (const tag of named) set.add(tag);
    byRepository.set(repository, set);
  }
  return [...byRepository].map(([repository, set]) => ({ repository, tags: [...set] }));
}

function withoutHost(text: string, hosts: readonly string[]): string {
  const own = hosts.find((candidate) => text.startsWith(`${candidate}/`));
  if (own) return text.slice(own.length + 1);
  const host = hostOf(text);
  if (host === undefined) return text;
  throw new InputError(
    `Cannot use the input "tags": "${text}" is at ${host}, and this registry is not; want repository:tag${hosts.length > 0 ? `, or one of ${hosts.join(', ')} in front` : ''}`,
  );
}

/** The registry that a reference begins with, as Docker tells it from a repository. */
function hostOf(text: string): string | undefined {
  const [first = '', ...rest] = text.split('/');
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : undefined;
}
