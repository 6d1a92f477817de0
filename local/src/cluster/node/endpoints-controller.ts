import type { GivenObject } from '../api/object.ts';
import type { Store } from '../api/store.ts';
import { isSelected } from './labels.ts';
import { modify } from './modification.ts';
import { nodeName } from './node-context.ts';
import type { EndpointAddress, Endpoints, Pod, Service, ServicePort } from './objects.ts';
import { isReady } from './owned-pods.ts';
import { portOf } from './probe.ts';

const resource = 'endpoints';
const sliceResource = 'endpointslices.discovery.k8s.io';

/** Writes the addresses of the Pods that a Service selects; one without a selector is left to others. */
export function reconcileEndpoints(store: Store, namespace: string, name: string): void {
  const service = store.peek('services', namespace, name) as Service | undefined;
  if (!service?.spec.selector || service.metadata.deletionTimestamp) return;
  const pods = podsOf(store, service);
  const subsets = subsetsOf(service, pods);
  write(store, resource, service, {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: metadataOf(service, name),
    ...(subsets ? { subsets } : {}),
  });
  write(store, sliceResource, service, sliceOf(service, pods));
}

function podsOf(store: Store, { spec, metadata }: Service): Pod[] {
  const matchLabels = spec.selector ?? {};
  const pods = store.peekAll('pods', metadata.namespace) as Pod[];
  return pods.filter(
    (pod) =>
      isSelected({ matchLabels }, pod.metadata.labels) &&
      pod.status?.podIP !== undefined &&
      pod.status.phase !== 'Succeeded' &&
      pod.status.phase !== 'Failed',
  );
}

function serves({ spec }: Service, pod: Pod): boolean {
  if (spec.publishNotReadyAddresses) return true;
  return isReady(pod) && !pod.metadata.deletionTimestamp;
}

function subsetsOf(service: Service, pods: readonly Pod[]): Endpoints['subsets'] {
  if (pods.length === 0) return undefined;
  const ready = pods.filter((pod) => serves(service, pod)).map(addressOf);
  const others = pods.filter((pod) => !serves(service, pod)).map(addressOf);
  const [pod] = pods;
  return [
    {
      ...(ready.length > 0 ? { addresses: ready } : {}),
      ...(others.length > 0 ? { notReadyAddresses: others } : {}),
      ports: pod ? portsOf(service, pod) : [],
    },
  ];
}

function addressOf({ metadata, spec, status }: Pod): EndpointAddress {
  return {
    ip: status?.podIP ?? '',
    nodeName,
    ...(spec.hostname ? { hostname: spec.hostname } : {}),
    targetRef: {
      kind: 'Pod',
      name: metadata.name,
      namespace: metadata.namespace,
      uid: metadata.uid,
    },
  };
}

function portsOf({ spec }: Service, pod: Pod): { name?: string; port: number; protocol: string }[] {
  return (spec.ports ?? []).flatMap((port) => {
    const number = targetOf(port, pod);
    if (number === undefined) return [];
    const { name, protocol = 'TCP' } = port;
    return [{ ...(name ? { name } : {}), port: number, protocol }];
  });
}

/** A named port that no container has is left out, as on a real cluster. */
function targetOf({ port, targetPort = port }: ServicePort, { spec }: Pod): number | undefined {
  for (const container of spec.containers) {
    try {
      return portOf(container, targetPort);
    } catch {
      // Another container may have it.
    }
  }
  return undefined;
}

function sliceOf(service: Service, pods: readonly Pod[]): GivenObject {
  const { name } = service.metadata;
  const metadata = metadataOf(service, name);
  const [pod] = pods;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { ...metadata.labels, 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: pod ? portsOf(service, pod) : [],
    endpoints: pods.map((each) => ({
      addresses: [each.status?.podIP],
      conditions: {
        ready: serves(service, each),
        serving: isReady(each),
        terminating: each.metadata.deletionTimestamp !== undefined,
      },
      nodeName,
      targetRef: addressOf(each).targetRef,
    })),
  };
}

function metadataOf(service: Service, name: string): GivenObject['metadata'] & { name: string } {
  const { namespace, labels, uid } = service.metadata;
  return {
    name,
    ...(namespace ? { namespace } : {}),
    labels: { ...labels },
    ownerReferences: [
      { apiVersion: 'v1', kind: 'Service', name: service.metadata.name, uid, controller: true },
    ],
  };
}

function write(store: Store, where: string, { metadata }: Service, object: GivenObject): void {
  const current = store.peek(where, metadata.namespace, metadata.name);
  if (!current) store.create(where, object);
  else {
    modify(store, { resource: where, object: current }, (draft) => {
      if (!('subsets' in object)) delete draft['subsets'];
      const { metadata: given, ...rest } = object;
      Object.assign(draft, structuredClone(rest));
      Object.assign(draft.metadata, structuredClone(given));
    });
  }
}
