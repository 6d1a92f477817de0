import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Registry } from '../resource/index.ts';
import { refuseEndpoint, ResolutionError, unresolved } from './provider.ts';
import type { Provider, Resolved, Sighting } from './provider.ts';

/** What `provider: auto` found. */
export interface Found {
  readonly provider: Provider;
  readonly resolved: Resolved;
  /** What was seen: one clause. */
  readonly why: string;
}

/**
 * Finds the one registry that the cluster has.
 *
 * @param candidates Those that can be looked for, the more telling first.
 * @throws {ResolutionError} if nothing is there, or several are: nobody guesses which is meant.
 */
export async function findRegistry(
  registry: Registry,
  kubernetes: KubernetesClient,
  candidates: readonly Provider[],
): Promise<Found> {
  refuseEndpoint(registry);
  const sightings = await Promise.all(
    candidates.map(async (provider) => ({
      provider,
      ...(await (provider.sight?.(registry, kubernetes) ?? notLooked)),
    })),
  );
  const hidden = sightings.filter(({ state }) => state === 'hidden').map(({ what }) => what);
  const there = sightings.filter(({ state }) => state === 'there');
  const [found, ...others] = await withoutRepeats(there, registry, kubernetes);
  if (found === undefined) throw nothing(registry, sightings, hidden);
  if (others.length > 0) throw several(registry, [found, ...others]);
  const blind =
    hidden.length > 0 ? `; not looked at, for want of rights: ${hidden.join(', ')}` : '';
  return { ...found, why: `found ${found.what}${blind}` };
}

const notLooked: Sighting = { state: 'absent', what: '' };

type Seen = { readonly provider: Provider; readonly resolved: Resolved; readonly what: string };

/** MicroK8s tells of its registry by KEP-1755 as well: what nodes call by one name is one registry. */
async function withoutRepeats(
  there: readonly { readonly provider: Provider; readonly what: string }[],
  registry: Registry,
  kubernetes: KubernetesClient,
): Promise<Seen[]> {
  const unique = new Map<string, Seen>();
  for (const { provider, what } of there) {
    try {
      const resolved = await provider.resolve(registry, kubernetes);
      const name = resolved.pullHost ?? resolved.pushHost;
      if (!unique.has(name)) unique.set(name, { provider, resolved, what });
    } catch (error) {
      // One that says too little counts only where it is the only one.
      if (!(error instanceof ResolutionError) || there.length === 1) throw error;
    }
  }
  return [...unique.values()];
}

function nothing(
  registry: Registry,
  sightings: readonly Sighting[],
  hidden: readonly string[],
): ResolutionError {
  const absent = sightings.filter(({ state }) => state === 'absent').map(({ what }) => what);
  const blind =
    hidden.length > 0 ? `; not looked at, for want of rights: ${hidden.join(', ')}` : '';
  return unresolved(
    registry,
    'NothingFound',
    `the cluster has no registry that we know: no ${absent.join(', no ')}${blind}; name the provider, or the registry by direct.host or indirect.service`,
  );
}

function several(registry: Registry, found: readonly Seen[]): ResolutionError {
  const list = found.map(({ provider, what }) => `${provider.name} (${what})`).join(' and ');
  const choice = found.map(({ provider }) => `provider: ${provider.name}`).join(' or ');
  return unresolved(registry, 'AmbiguousRegistry', `the cluster has ${list}; want ${choice}`);
}
