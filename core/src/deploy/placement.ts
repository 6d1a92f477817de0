import { explain, InputError, NotFoundError, UnsupportedError } from '../errors.ts';
import { groupOf, KubernetesError, resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject, ResourceType } from '../kubernetes/index.ts';
import { describeManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';

/** A manifest, and the resource that it is of. */
export interface Placed extends Manifest {
  readonly type: ResourceType;
  /** The name of its CustomResourceDefinition, where that is deployed with it. */
  readonly definition: string | undefined;
}

interface Definition extends KubernetesObject {
  spec?: {
    group?: string;
    scope?: string;
    names?: { kind?: string; plural?: string };
  };
}

/**
 * Finds the resource of every manifest, and its namespace.
 *
 * @throws {InputError} for a kind that neither the cluster nor the manifests define.
 */
export async function placeManifests(
  kubernetes: KubernetesClient,
  manifests: readonly Manifest[],
  options: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
): Promise<Placed[]> {
  const definitions = manifests
    .map(({ object }) => object)
    .filter(({ kind }) => kind === 'CustomResourceDefinition') as Definition[];
  const placed: Placed[] = [];
  for (const { object, origin } of manifests) {
    const own = definitions.find((definition) => defines(definition, object));
    const type = own ? typeBy(own, object) : await typeOf(kubernetes, object, origin);
    const { namespace: given, ...metadata } = object.metadata;
    const namespace = type.namespaced ? (given ?? options.namespace) : undefined;
    const labels = { ...metadata.labels, ...options.labels };
    const there = {
      ...object,
      metadata: {
        ...metadata,
        ...(namespace === undefined ? {} : { namespace }),
        ...(Object.keys(labels).length > 0 ? { labels } : {}),
      },
    };
    placed.push({ object: there, origin, type, definition: own?.metadata.name });
  }
  return placed;
}

function defines({ spec }: Definition, object: KubernetesObject): boolean {
  return spec?.group === groupOf(object.apiVersion) && spec.names?.kind === object.kind;
}

function typeBy({ spec }: Definition, { apiVersion, kind }: KubernetesObject): ResourceType {
  const namespaced = spec?.scope !== 'Cluster';
  return { apiVersion, kind, plural: spec?.names?.plural ?? '', namespaced };
}

async function typeOf(
  kubernetes: KubernetesClient,
  object: KubernetesObject,
  origin: string,
): Promise<ResourceType> {
  try {
    return await kubernetes.typeOf(object);
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    throw new InputError(
      `Cannot deploy ${describeManifest(object)} of ${origin}: ${explain(error).replace(/^[^:]*: /, '')}`,
      { cause: error },
    );
  }
}

/**
 * The namespaces that are not there yet.
 *
 * @param options.create Whether those that no manifest makes may be made.
 * @throws {NotFoundError} if one is missing that nobody makes.
 */
export async function newNamespaces(
  kubernetes: KubernetesClient,
  manifests: readonly Placed[],
  options: { readonly create: boolean },
): Promise<Set<string>> {
  const used = new Set(manifests.map(({ object }) => object.metadata.namespace ?? ''));
  const made = new Set(
    manifests
      .filter(({ object }) => object.kind === 'Namespace')
      .map(({ object }) => object.metadata.name),
  );
  const missing = new Set<string>();
  for (const name of used.union(made)) {
    if (name === '' || (await isThere(kubernetes, name))) continue;
    if (!made.has(name) && !options.create) {
      throw new NotFoundError(
        `Cannot deploy to namespace "${name}": it does not exist at ${kubernetes.server}; want it among the manifests, or --create-namespace`,
      );
    }
    missing.add(name);
  }
  return missing;
}

/** Whoever may not look at namespaces is told by the first object. */
async function isThere(kubernetes: KubernetesClient, name: string): Promise<boolean> {
  try {
    return (await kubernetes.find(resourceTypes.Namespace, name)) !== undefined;
  } catch (error) {
    if (error instanceof KubernetesError && error.isForbidden) return true;
    throw error;
  }
}
