import type { ApiObject, ListOptions, ObjectList, ResourceType } from './client.ts';
import type { Connection } from './connection.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { pathOf } from './paths.ts';

interface Page<T> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly T[] | null;
}

/** As client-go: the server neither holds nor sends a large collection at once. */
const pageSize = 500;

/**
 * Lists a collection, page by page.
 *
 * @throws {KubernetesError} if the API refuses.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export async function listObjects<T extends ApiObject>(
  connection: Connection,
  type: ResourceType,
  options: ListOptions,
): Promise<ObjectList<T>> {
  try {
    return await readPages<T>(connection, type, options, pageSize);
  } catch (error) {
    // The list was so long that its beginning was forgotten meanwhile: all at once, then.
    if (!(error instanceof KubernetesError && error.isExpired)) throw error;
    return readPages<T>(connection, type, options, undefined);
  }
}

async function readPages<T extends ApiObject>(
  connection: Connection,
  type: ResourceType,
  options: ListOptions,
  limit: number | undefined,
): Promise<ObjectList<T>> {
  const { namespace, labelSelector, fieldSelector, signal } = options;
  const { apiVersion, kind } = type;
  const items: T[] = [];
  let next: string | undefined;
  for (;;) {
    const query = { labelSelector, fieldSelector, limit, continue: next };
    const page: Page<T> = await connection.json<Page<T>>({
      method: 'GET',
      path: pathOf(type, { namespace, query }),
      action: `list ${type.plural}${namespace ? ` in ${namespace}` : ''}`,
      signal,
    });
    // The API leaves out of a list what is the same for every item.
    for (const item of page.items ?? []) items.push({ ...item, apiVersion, kind });
    next = page.metadata.continue || undefined;
    if (!next) return { resourceVersion: page.metadata.resourceVersion ?? '', items };
  }
}
