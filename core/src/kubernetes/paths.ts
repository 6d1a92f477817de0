import type { ResourceType } from './client.ts';

/** What the path of one request is made of. */
export interface PathParts {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
  /** A value that is `undefined` is left out. */
  readonly query?: Readonly<
    Record<string, string | number | boolean | readonly string[] | undefined>
  >;
}

/**
 * The path of an object, or of a collection.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
 */
export function pathOf(type: ResourceType, parts: PathParts): string {
  const { namespace, name, subresource, query = {} } = parts;
  const root = type.apiVersion.includes('/') ? 'apis' : 'api';
  const segments = [root, ...type.apiVersion.split('/')];
  if (type.namespaced && namespace !== undefined) segments.push('namespaces', namespace);
  segments.push(type.plural);
  if (name !== undefined) segments.push(name);
  if (subresource) segments.push(subresource);
  const search = searchOf(query);
  return `/${segments.map(encodeSegment).join('/')}${search && `?${search}`}`;
}

function searchOf(query: NonNullable<PathParts['query']>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(key, String(one));
  }
  return search.toString();
}

function encodeSegment(segment: string): string {
  // An empty name would ask for the collection instead: `delete` must never do that. The dots are path steps.
  if (segment === '' || segment === '.' || segment === '..') {
    throw new RangeError(`Cannot name an object "${segment}": want a name`);
  }
  return encodeURIComponent(segment);
}

/** `Registry ci/default`, for messages. */
export function describeObject(
  type: Pick<ResourceType, 'kind'>,
  name: string,
  namespace?: string,
): string {
  return `${type.kind} ${namespace ? `${namespace}/` : ''}${name}`;
}
