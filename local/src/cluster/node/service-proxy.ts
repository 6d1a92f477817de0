import { explain } from '@reposure/core';

import type { Store } from '../api/store.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { Endpoints, Service, ServicePort } from './objects.ts';
import { TcpForwarder } from './tcp-forwarder.ts';
import type { Target } from './tcp-forwarder.ts';

/** Listens for every Service: on its cluster IP, and on 127.0.0.1 for node ports. */
export class ServiceProxy {
  readonly #store: Store;
  readonly #events: EventRecorder;
  readonly #forwarders = new Map<string, TcpForwarder>();
  /** What no longer listens, but may have connections. */
  readonly #retired = new Set<TcpForwarder>();
  /** One change after the other: a port is closed before it is opened again. */
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(store: Store, events: EventRecorder) {
    this.#store = store;
    this.#events = events;
  }

  /** Brings the listeners of one Service up to date. */
  async sync(namespace: string, name: string): Promise<void> {
    this.#work = this.#work.then(() => this.#sync(namespace, name));
    await this.#work;
  }

  /** Stops listening and cuts every connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#work;
    const all = [...this.#forwarders.values(), ...this.#retired];
    await Promise.all(all.map((forwarder) => forwarder.destroy()));
    this.#forwarders.clear();
  }

  async #sync(namespace: string, name: string): Promise<void> {
    if (this.#isClosed) return;
    const service = this.#store.peek('services', namespace, name) as Service | undefined;
    const wanted = service ? listenersOf(this.#store, service) : new Map<string, Listener>();
    const prefix = `${namespace}/${name} `;
    for (const [key, forwarder] of this.#forwarders) {
      if (!key.startsWith(prefix) || wanted.has(key)) continue;
      this.#forwarders.delete(key);
      this.#retired.add(forwarder);
      void forwarder.close().then(() => this.#retired.delete(forwarder));
    }
    for (const [key, { at, targets }] of wanted) {
      const forwarder = this.#forwarders.get(key);
      if (forwarder) forwarder.setTargets(targets);
      else if (service) await this.#listen(service, key, { at, targets });
    }
  }

  async #listen(service: Service, key: string, { at, targets }: Listener): Promise<void> {
    try {
      this.#forwarders.set(key, await TcpForwarder.listen(at, targets));
    } catch (error) {
      const message = `Cannot listen on ${at.host}:${at.port}: ${explain(error)}; want a port that is free, and above 1023 where this user may not take lower ones`;
      this.#events.record(service, { type: 'Warning', reason: 'FailedToListen', message });
    }
  }
}

interface Listener {
  readonly at: Target;
  readonly targets: readonly Target[];
}

function listenersOf(store: Store, service: Service): Map<string, Listener> {
  const { spec, metadata } = service;
  const listeners = new Map<string, Listener>();
  const add = (at: Target, targets: readonly Target[]): void => {
    listeners.set(`${metadata.namespace}/${metadata.name} ${at.host}:${at.port}`, { at, targets });
  };
  for (const port of spec.ports ?? []) {
    const targets = targetsOf(store, service, port);
    const { clusterIP } = spec;
    // Without a Pod behind it, a Service refuses connections: nothing listens.
    if (clusterIP && clusterIP !== 'None' && targets.length > 0) {
      add({ host: clusterIP, port: port.port }, targets);
    }
    const isOnNodes = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
    // A node port stays taken, for nobody else may have it.
    if (port.nodePort && isOnNodes) add({ host: '127.0.0.1', port: port.nodePort }, targets);
  }
  return listeners;
}

/** The ready addresses behind one port of a Service. */
export function targetsOf(store: Store, { metadata }: Service, port: ServicePort): Target[] {
  const { namespace, name } = metadata;
  const endpoints: Endpoints | undefined = store.peek('endpoints', namespace, name);
  return (endpoints?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    const found = ports.find((each) => (each.name ?? '') === (port.name ?? ''));
    return found ? addresses.map(({ ip }) => ({ host: ip, port: found.port })) : [];
  });
}
