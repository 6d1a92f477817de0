import type { CustomVersion } from './crd.ts';
import type { Fields, StoredObject } from './object.ts';
import type { ApiResource } from './resources.ts';
import { groupVersionOf } from './resources.ts';
import { StatusError } from './status.ts';
import { columnsOf, partialOf, tableOf } from './tables.ts';

/** How a client wants to see objects. */
export interface Representation {
  one(object: StoredObject): Fields;
  list(objects: readonly StoredObject[], resourceVersion: string): Fields;
  /** As {@link one}, within a watch. */
  inWatch(object: StoredObject): Fields;
}

/**
 * Picks what the client's Accept header asks for first: a table, metadata only, or whole objects.
 *
 * @throws {StatusError} 406 if it takes no JSON.
 */
export function representationOf(
  accept: string | undefined,
  query: URLSearchParams,
  type: ApiResource,
  custom: CustomVersion | undefined,
): Representation {
  for (const offer of (accept ?? 'application/json').split(',')) {
    const [media, ...parameters] = offer.split(';').map((part) => part.trim());
    if (media === '*/*' || media === 'application/*') return wholeObjects(type);
    const as = parameters.find((each) => each.startsWith('as='))?.slice(3);
    if (media !== 'application/json' || parameters.includes('v=v1beta1')) continue;
    if (as === undefined) return wholeObjects(type);
    if (as === 'Table') return tables(type, custom, query);
    if (as.startsWith('PartialObjectMetadata')) return metadataOnly();
  }
  throw new StatusError(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json',
  );
}

function wholeObjects(type: ApiResource): Representation {
  const apiVersion = groupVersionOf(type);
  // An object is stored in the version it was written in, and served in the one it is asked for.
  const one = (object: StoredObject): Fields => ({ ...object, apiVersion });
  return {
    one,
    inWatch: one,
    list: (objects, resourceVersion) => ({
      kind: `${type.kind}List`,
      apiVersion,
      metadata: { resourceVersion },
      items: objects.map(one),
    }),
  };
}

function metadataOnly(): Representation {
  return {
    one: partialOf,
    inWatch: partialOf,
    list: (objects, resourceVersion) => ({
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion },
      items: objects.map(partialOf),
    }),
  };
}

function tables(
  type: ApiResource,
  custom: CustomVersion | undefined,
  query: URLSearchParams,
): Representation {
  const columns = columnsOf(type, custom);
  const apiVersion = groupVersionOf(type);
  const includeObject = query.get('includeObject') ?? 'Metadata';
  const served = (object: StoredObject): StoredObject => ({ ...object, apiVersion });
  let isFirst = true;
  return {
    one: (object) => {
      const { resourceVersion } = object.metadata;
      return tableOf(columns, [served(object)], { resourceVersion, includeObject });
    },
    list: (objects, resourceVersion) =>
      tableOf(columns, objects.map(served), { resourceVersion, includeObject }),
    inWatch: (object) => {
      const { resourceVersion } = object.metadata;
      const withoutColumns = !isFirst;
      isFirst = false;
      return tableOf(columns, [served(object)], { resourceVersion, includeObject, withoutColumns });
    },
  };
}
