import type { ApiContext } from './context.ts';
import type { StoredObject } from './object.ts';
import { fieldsOf, listOf, textOf } from './object.ts';
import type { Target } from './request-info.ts';
import { badRequest, notFound } from './status.ts';

/** A container that a request is about. */
export interface ContainerPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/**
 * Finds the container that a request names, or the only one.
 *
 * @throws {StatusError} 404 without such a Pod, 400 without such a container.
 */
export function containerPlaceOf(
  { store }: ApiContext,
  { namespace = '', name: pod = '' }: Target,
  wanted: string | null,
): ContainerPlace {
  const found = store.peek('pods', namespace, pod);
  if (!found) throw notFound({ resource: 'pods', name: pod });
  const names = containerNamesOf(found);
  const container = wanted || (names.length === 1 ? names[0] : undefined);
  if (!container) {
    throw badRequest(
      `a container name must be specified for pod ${pod}, choose one of: [${names.join(' ')}]`,
    );
  }
  const all = [...names, ...containerNamesOf(found, 'initContainers')];
  if (!all.includes(container)) {
    throw badRequest(`container ${container} is not valid for pod ${pod}`);
  }
  return { namespace, pod, container };
}

function containerNamesOf(pod: StoredObject, list = 'containers'): string[] {
  return listOf(fieldsOf(pod['spec'])[list]).map((each) => textOf(fieldsOf(each)['name']));
}
