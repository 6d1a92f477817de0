import type { Store } from '../api/store.ts';
import type { AddressRange } from './addresses.ts';
import { modify } from './modification.ts';
import type { NodePorts } from './node-ports.ts';
import type { Service } from './objects.ts';

const resource = 'services';

/** Gives Services their cluster IP and node ports where the API has not, and takes them back. */
export class ServiceAddresses {
  readonly #store: Store;
  readonly #addresses: AddressRange;
  readonly #nodePorts: NodePorts;

  constructor(store: Store, addresses: AddressRange, nodePorts: NodePorts) {
    this.#store = store;
    this.#addresses = addresses;
    this.#nodePorts = nodePorts;
  }

  /** Fills in what a Service lacks. */
  assign(service: Service): void {
    const { type = 'ClusterIP', clusterIP, ports = [] } = service.spec;
    if (type === 'ExternalName') return;
    if (clusterIP && clusterIP !== 'None') this.#addresses.reserve(clusterIP);
    const isOnNodes = type === 'NodePort' || type === 'LoadBalancer';
    const lacksNodePort = isOnNodes && ports.some(({ nodePort }) => !nodePort);
    if (clusterIP && !lacksNodePort) return;
    modify(this.#store, { resource, object: service }, ({ spec }) => {
      spec.clusterIP ??= this.#addresses.take();
      if (isOnNodes) for (const port of spec.ports ?? []) port.nodePort ??= this.#nodePorts.take();
    });
  }

  /** Takes the address of a Service that is gone. */
  release({ spec }: Service): void {
    if (spec.clusterIP && spec.clusterIP !== 'None') this.#addresses.free(spec.clusterIP);
  }
}
