import type { Exchange } from './exchange.ts';
import type { StoredObject, StoreEvent } from './object.ts';
import type { Representation } from './representation.ts';
import { isTrue } from './request-info.ts';
import type { Predicate } from './selectors.ts';
import { badRequest, StatusError, statusOf } from './status.ts';
import type { Store } from './store.ts';

/** What a watch is about. */
export interface WatchScope {
  /** As the store has it. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly apiVersion: string;
  readonly kind: string;
  readonly isSelected: Predicate;
  readonly representation: Representation;
}

const bookmarkEveryMs = 30_000;
const defaultTimeoutSeconds = 1800;
/** A client that lets so much pile up is cut off; it comes back with its resourceVersion. */
const maxPendingBytes = 16 * 1024 * 1024;

/**
 * Streams changes until the client goes or its time is over.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export function serveWatch(store: Store, exchange: Exchange, scope: WatchScope): void {
  const { response, info } = exchange;
  const start = startOf(store, info.query);
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.flushHeaders();
  const watch = new Watch(store, exchange, scope);
  if (start === 'expired') watch.expire();
  else watch.run(start);
}

type Start = { readonly initial: readonly StoreEvent[] | undefined };

function startOf(store: Store, query: URLSearchParams): Start | 'expired' {
  const version = query.get('resourceVersion') ?? '';
  const sendsInitial = query.get('sendInitialEvents');
  if (isTrue(sendsInitial)) return { initial: undefined };
  if (version === '' || version === '0') return { initial: sendsInitial === null ? undefined : [] };
  if (!/^\d+$/.test(version)) throw badRequest(`invalid resource version "${version}"`);
  const initial = store.eventsSince(Number(version));
  return initial ? { initial } : 'expired';
}

class Watch {
  readonly #store: Store;
  readonly #exchange: Exchange;
  readonly #scope: WatchScope;

  constructor(store: Store, exchange: Exchange, scope: WatchScope) {
    this.#store = store;
    this.#exchange = exchange;
    this.#scope = scope;
  }

  run({ initial }: Start): void {
    const { query } = this.#exchange.info;
    const { response } = this.#exchange;
    if (initial) for (const event of initial) this.#follow(event);
    else this.#sendAll();
    if (isTrue(query.get('sendInitialEvents')))
      this.#sendBookmark({ 'k8s.io/initial-events-end': 'true' });
    const unsubscribe = this.#store.subscribe((event) => {
      this.#follow(event);
    });
    const bookmarks = isTrue(query.get('allowWatchBookmarks'))
      ? setInterval(() => {
          this.#sendBookmark();
        }, bookmarkEveryMs)
      : undefined;
    const seconds = Number(query.get('timeoutSeconds') ?? 0) || defaultTimeoutSeconds;
    const timeout = setTimeout(() => {
      if (bookmarks) this.#sendBookmark();
      response.end();
    }, seconds * 1000);
    response.on('close', () => {
      unsubscribe();
      clearInterval(bookmarks);
      clearTimeout(timeout);
    });
  }

  expire(): void {
    const message = 'too old resource version: want a new list';
    this.#write('ERROR', statusOf(new StatusError(410, 'Expired', message)));
    this.#exchange.response.end();
  }

  #sendAll(): void {
    const { resource, namespace, isSelected } = this.#scope;
    for (const object of this.#store.peekAll(resource, namespace)) {
      if (isSelected(object)) this.#send('ADDED', object);
    }
  }

  // What begins or ceases to be selected is added or deleted, as far as this client can see.
  #follow({ type, resource, object, previous }: StoreEvent): void {
    const { namespace, isSelected } = this.#scope;
    if (resource !== this.#scope.resource) return;
    if (namespace && object.metadata.namespace !== namespace) return;
    const was = type === 'DELETED' || (previous !== undefined && isSelected(previous));
    const is = type !== 'DELETED' && isSelected(object);
    if (type === 'DELETED' && !isSelected(object)) return;
    if (is) this.#send(was ? 'MODIFIED' : 'ADDED', object);
    else if (was) this.#send('DELETED', object);
  }

  #send(type: string, object: StoredObject): void {
    this.#write(type, this.#scope.representation.inWatch(object));
  }

  #sendBookmark(annotations?: Record<string, string>): void {
    const { apiVersion, kind, representation } = this.#scope;
    const metadata = {
      resourceVersion: this.#store.resourceVersion,
      creationTimestamp: null,
      ...(annotations ? { annotations } : {}),
    };
    const object = { apiVersion, kind, metadata } as unknown as StoredObject;
    this.#write('BOOKMARK', representation.inWatch(object));
  }

  #write(type: string, object: unknown): void {
    const { response } = this.#exchange;
    if (response.writableEnded) return;
    response.write(`${JSON.stringify({ type, object })}\n`);
    if (response.writableLength > maxPendingBytes) response.destroy();
  }
}
