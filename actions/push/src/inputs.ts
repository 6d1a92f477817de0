import { explain, InputError, parseDurationMs } from '@reposure/core';
import { parsePlatform } from '@reposure/core/oci';
import { parseDestination } from '@reposure/core/transfer';
import type { Destination } from '@reposure/core/transfer';
import * as z from 'zod';

const words = (text: string): string[] =>
  text
    .split('\n')
    .flatMap((line) => line.replace(/(?:^|\s)#.*$/, '').split(/[\s,]+/))
    .filter((word) => word !== '');

/** A parser of ours: what it throws is said under the name of the input. */
function parsedBy<T>(parse: (text: string) => T): z.ZodType<T, string> {
  return z.string().transform((text, { issues }) => {
    try {
      return parse(text);
    } catch (error) {
      issues.push({ code: 'custom', message: explain(error), input: text });
      return z.NEVER;
    }
  });
}

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

// The runner does not look at `required`, and hands over '' for what is not set.
const isRequired = 'is required';
/** The inputs of this step, as `action.yml` declares them. */
export const Inputs = z.object({
  source: z.string(isRequired),
  tags: z
    .string(isRequired)
    .transform(words)
    .refine((list) => list.length > 0, isRequired),
  registry: z.string().default('default'),
  namespace: z.string().optional(),
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
  platforms: parsedBy((text) => words(text).map((word) => parsePlatform(word))).optional(),
  route: z.enum(['auto', 'direct', 'proxy', 'exec']).default('auto'),
  retries: z.string().regex(/^\d+$/, 'wants a whole number').default('5').transform(Number),
  timeout: parsedBy(parseDurationMs).default(30 * 60_000),
  'dry-run': flag.default(false),
  summary: flag.default(true),
});
export type Inputs = z.infer<typeof Inputs>;

/**
 * Where the tags point, one destination per repository.
 *
 * @param hosts The registry's own names: what docker/metadata-action puts in front is taken off.
 * @throws {InputError} if a tag names another registry, or is no reference.
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
  const host = hosts.find((candidate) => text.startsWith(`${candidate}/`));
  if (host) return text.slice(host.length + 1);
  const [first = '', ...rest] = text.split('/');
  if (rest.length > 0 && /[.:]|^localhost$/.test(first)) {
    throw new InputError(
      `Cannot push "${text}": this registry is not ${first}; want repository:tag${hosts.length > 0 ? `, or one of ${hosts.join(', ')} in front` : ''}`,
    );
  }
  return text;
}
