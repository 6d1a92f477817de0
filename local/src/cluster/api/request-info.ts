/** What a request is about, read off its method and path. */
export interface RequestInfo {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** RBAC's word: get, list, watch, create, update, patch, delete, deletecollection. */
  readonly verb: string;
  /** Not there for paths such as `/version`. */
  readonly target: Target | undefined;
}

/** The object or collection that a path names. */
export interface Target {
  readonly group: string;
  readonly version: string;
  readonly namespace: string | undefined;
  readonly plural: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** What follows `…/proxy`, with its leading slash. */
  readonly rest: string;
}

/**
 * Reads a request's path the way the API server does.
 *
 * @param url Path and query.
 * @throws {URIError} for a broken percent-encoding.
 */
export function requestInfoOf(method: string, url: string): RequestInfo {
  const { pathname, searchParams } = new URL(url, 'https://kubernetes');
  const target = targetOf(pathname);
  return {
    method,
    path: pathname,
    query: searchParams,
    target,
    verb: target ? verbOf(method, target, searchParams) : method.toLowerCase(),
  };
}

function targetOf(path: string): Target | undefined {
  const parts = path.split('/').slice(1);
  if (parts[0] === 'api' && parts.length > 2) {
    return targetBelow({ group: '', version: parts[1] ?? '' }, parts.slice(2));
  }
  if (parts[0] === 'apis' && parts.length > 3) {
    return targetBelow({ group: parts[1] ?? '', version: parts[2] ?? '' }, parts.slice(3));
  }
  return undefined;
}

function targetBelow(
  served: Pick<Target, 'group' | 'version'>,
  below: readonly string[],
): Target | undefined {
  const isInside = below[0] === 'namespaces' && below.length > 2 && !isOfNamespace(below[2]);
  const namespace = isInside ? decodeURIComponent(below[1] ?? '') : undefined;
  const [plural, name, subresource, ...rest] = isInside ? below.slice(2) : below;
  if (!plural || (rest.length > 0 && subresource !== 'proxy')) return undefined;
  return {
    ...served,
    namespace,
    plural,
    name: name ? decodeURIComponent(name) : undefined,
    subresource: subresource || undefined,
    rest: `/${rest.join('/')}`,
  };
}

function isOfNamespace(part: string | undefined): boolean {
  return part === 'status' || part === 'finalize';
}

function verbOf(method: string, target: Target, query: URLSearchParams): string {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (target.name) return 'get';
      return isTrue(query.get('watch')) ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return target.name ? 'delete' : 'deletecollection';
    default:
      return method.toLowerCase();
  }
}

/** How the API reads a boolean of a query. */
export function isTrue(text: string | null): boolean {
  return text !== null && text !== 'false' && text !== '0';
}
