import { join } from 'node:path';

import { explain } from '@reposure/core';
import type { Log } from '@reposure/core';

import type { NodeBackends } from '../api/backends.ts';
import type { StoreEvent, StoredObject } from '../api/object.ts';
import type { Store } from '../api/store.ts';
import { AddressRange } from './addresses.ts';
import { backendsOf } from './backends.ts';
import { ClaimFolders } from './claim-folders.ts';
import { clusterNames } from './cluster-names.ts';
import { Controllers } from './controllers.ts';
import { EventQueue } from './event-queue.ts';
import { EventRecorder } from './event-recorder.ts';
import { HostsFile } from './hosts-file.ts';
import { Kubelet } from './kubelet.ts';
import type { ApiAccess } from './node-context.ts';
import { nodeObject } from './node-object.ts';
import { NodePorts } from './node-ports.ts';
import type { Service } from './objects.ts';
import { ProcessTable } from './process-table.ts';
import type { ProgramTable } from './program.ts';
import { ServiceAddresses } from './service-addresses.ts';
import { ServiceProxy } from './service-proxy.ts';

/** What a node is made with. */
export interface LocalNodeOptions {
  readonly store: Store;
  readonly log: Log;
  /** Its own; the caller removes it when the node is closed. */
  readonly directory: string;
  /** Links to the programs that are found on every PATH. */
  readonly binFolder: string;
  readonly programs: ProgramTable;
  /** Where Pods find the API; asked when the first one starts. */
  readonly api: () => ApiAccess;
  /** What a process gets to end by itself when the node closes. */
  readonly closeGraceMs?: number;
}

/** Controllers, kubelet and service proxy of the embedded cluster, with Pods as local processes. */
export class LocalNode {
  readonly #options: LocalNodeOptions;
  readonly #addresses: AddressRange;
  readonly #nodePorts = new NodePorts();
  readonly #processes = new ProcessTable();
  readonly #claims: ClaimFolders;
  readonly #hosts: HostsFile;
  readonly #kubelet: Kubelet;
  readonly #controllers: Controllers;
  readonly #services: ServiceAddresses;
  readonly #proxy: ServiceProxy;
  readonly #events: EventQueue;

  private constructor(options: LocalNodeOptions, addresses: AddressRange) {
    const { store, log, directory, binFolder, programs } = options;
    this.#options = options;
    this.#addresses = addresses;
    this.#claims = new ClaimFolders(store, join(directory, 'claims'));
    this.#hosts = new HostsFile(join(directory, 'hosts.json'));
    this.#controllers = new Controllers(store, log);
    this.#services = new ServiceAddresses(store, addresses, this.#nodePorts);
    this.#proxy = new ServiceProxy(store, new EventRecorder(store, 'kube-proxy'));
    this.#kubelet = new Kubelet({
      store,
      log,
      directory,
      binFolder,
      programs,
      addresses,
      hosts: this.#hosts,
      processes: this.#processes,
      claims: this.#claims,
      events: new EventRecorder(store, 'kubelet'),
      get api() {
        return options.api();
      },
    });
    this.#events = new EventQueue(store, log, (event) => this.#handle(event));
  }

  /**
   * Starts a node on a store; what is in it already is taken on.
   *
   * @throws {UnsupportedError} where this machine has no loopback addresses to give.
   */
  static async start(options: LocalNodeOptions): Promise<LocalNode> {
    const node = new LocalNode(options, await AddressRange.claim());
    await node.#nodePorts.fill();
    if (!options.store.peek('nodes', undefined, 'local')) {
      options.store.create('nodes', nodeObject());
    }
    return node;
  }

  /** What the API server asks of this node. */
  get backends(): NodeBackends {
    return {
      ...backendsOf(this.#options.store, this.#kubelet),
      allocateClusterIp: () => this.#addresses.take(),
      allocateNodePort: () => this.#nodePorts.take(),
    };
  }

  /** Ends every process, closes every listener. */
  async close(): Promise<void> {
    const { closeGraceMs = 2000 } = this.#options;
    this.#events.close();
    this.#controllers.close();
    this.#nodePorts.close();
    const ended = this.#kubelet.close(closeGraceMs);
    await this.#processes.close(closeGraceMs);
    await ended;
    await this.#proxy.close();
    await this.#addresses.close();
  }

  #handle(event: StoreEvent): void {
    const { type, resource, object } = event;
    this.#claims.handle(event);
    this.#kubelet.handle(event);
    this.#controllers.handle(event);
    if (resource === 'services') this.#handleService(type, object as Service);
    if (resource === 'services' || resource === 'endpoints') this.#handleNames(object);
  }

  #handleService(type: StoreEvent['type'], service: Service): void {
    if (type === 'DELETED') this.#services.release(service);
    else this.#services.assign(service);
  }

  #handleNames({ metadata: { namespace = 'default', name } }: StoredObject): void {
    const { store, log } = this.#options;
    this.#hosts.write(clusterNames(store));
    this.#proxy.sync(namespace, name).catch((error: unknown) => {
      log.warn(`Service ${namespace}/${name}: ${explain(error)}`);
    });
  }
}
