import type { ReposureError } from '../errors.ts';
import type { ApiObject, ListOptions, ResourceType, WatchEvent } from './client.ts';
import type { ApiRequest, Connection } from './connection.ts';
import { jsonLines } from './json-lines.ts';
import { KubernetesError, Status } from './kubernetes-error.ts';
import { pathOf } from './paths.ts';

/** As client-go: at random, so that a server that restarts is not asked by everybody at once. */
const shortestSeconds = 300;
/** A server that has died cannot end the watch; then we do. */
const graceMs = 15_000;
/**
 * The API sends a bookmark about once a minute: whoever is silent for longer has forgotten this
 * watch, or something in between has. To ask again from the last resourceVersion costs little.
 */
const silenceMs = 180_000;

interface WatchOptions extends ListOptions {
  readonly resourceVersion?: string;
  /** Without any event or bookmark for so long, the watch ends: three minutes by default. */
  readonly silenceMs?: number;
}

interface RawEvent {
  readonly type: string;
  readonly object: unknown;
}

/**
 * Follows the changes of a collection.
 *
 * Ends without an error when the server ends it, as it does after five to ten minutes, and when the
 * connection is lost in the middle: whoever watches asks again from the last resourceVersion.
 *
 * @throws {KubernetesError} for an ERROR event; `isExpired` if the resourceVersion is too old.
 */
export async function* watchEvents<T extends ApiObject>(
  connection: Connection,
  type: ResourceType,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void> {
  const timeoutSeconds = shortestSeconds + Math.floor(Math.random() * shortestSeconds);
  const deadline = new AbortController();
  const end = (): void => deadline.abort();
  const timer = setTimeout(end, timeoutSeconds * 1000 + graceMs);
  const silence = setTimeout(end, options.silenceMs ?? silenceMs);
  const signals = options.signal ? [options.signal, deadline.signal] : [deadline.signal];
  const request: ApiRequest = {
    method: 'GET',
    path: watchPath(type, options, timeoutSeconds),
    action: `watch ${type.plural}${options.namespace ? ` in ${options.namespace}` : ''}`,
    signal: AbortSignal.any(signals),
  };
  try {
    const response = await connection.send(request);
    for await (const event of jsonLines(connection.bodyOf(response, request))) {
      silence.refresh();
      const told = eventOf(event as RawEvent, request, connection);
      if (told) yield told as WatchEvent<T>;
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!isEnd(error, deadline.signal)) throw error;
  } finally {
    clearTimeout(timer);
    clearTimeout(silence);
  }
}

function watchPath(type: ResourceType, options: WatchOptions, timeoutSeconds: number): string {
  const { namespace, labelSelector, fieldSelector, resourceVersion } = options;
  const query = { labelSelector, fieldSelector, resourceVersion, timeoutSeconds };
  return pathOf(type, { namespace, query: { ...query, watch: true, allowWatchBookmarks: true } });
}

/** A line that was cut off is the end of a connection, no damage. */
function isEnd(error: unknown, deadline: AbortSignal): boolean {
  return deadline.aborted || error instanceof SyntaxError;
}

function eventOf(
  { type, object }: RawEvent,
  request: ApiRequest,
  connection: Connection,
): WatchEvent<ApiObject> | undefined {
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: object as ApiObject };
    case 'BOOKMARK':
      return { type, resourceVersion: (object as ApiObject).metadata.resourceVersion ?? '' };
    case 'ERROR':
      throw errorOf(object, `${request.action} at ${connection.access.server}`);
    default:
      return undefined; // a type of event that a later API may add
  }
}

function errorOf(object: unknown, action: string): ReposureError {
  const said = Status.safeParse(object).data;
  return new KubernetesError(action, {
    status: said?.code ?? 500,
    reason: said?.reason,
    message: said?.message,
    retryAfterMs: (said?.details?.retryAfterSeconds ?? 0) * 1000,
  });
}
