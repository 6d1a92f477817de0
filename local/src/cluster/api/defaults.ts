import type { Fields, StoredObject } from './object.ts';
import { fieldsOf, isFields, listOf, textOf } from './object.ts';

/**
 * Fills in what a real API server would: only the fields that clients or kubectl rely on.
 *
 * @returns The same object, changed in place.
 */
export function defaulted(resource: string, object: StoredObject): StoredObject {
  defaulters[resource]?.(object);
  return object;
}

const defaulters: Record<string, (object: StoredObject) => void> = {
  pods: (object) => {
    const spec = fieldsOf(object['spec']);
    defaultPodSpec(spec);
    spec['serviceAccountName'] ??= 'default';
    object['status'] ??= { phase: 'Pending' };
  },
  secrets: defaultSecret,
  services: defaultService,
  namespaces: defaultNamespace,
  persistentvolumeclaims: defaultClaim,
  'deployments.apps': (object) => defaultWorkload(object, defaultDeployment),
  'statefulsets.apps': (object) => defaultWorkload(object, defaultStatefulSet),
  'replicasets.apps': (object) => defaultWorkload(object, () => {}),
};

function defaultPodSpec(spec: Fields): void {
  spec['restartPolicy'] ??= 'Always';
  spec['terminationGracePeriodSeconds'] ??= 30;
  spec['dnsPolicy'] ??= 'ClusterFirst';
  spec['schedulerName'] ??= 'default-scheduler';
  spec['securityContext'] ??= {};
  for (const list of [spec['containers'], spec['initContainers']]) {
    for (const container of listOf(list)) defaultContainer(fieldsOf(container));
  }
}

function defaultContainer(container: Fields): void {
  container['resources'] ??= {};
  container['terminationMessagePath'] ??= '/dev/termination-log';
  container['terminationMessagePolicy'] ??= 'File';
  const image = textOf(container['image']);
  container['imagePullPolicy'] ??= /(^[^:]*|\/[^:]*|:latest)$/.test(image)
    ? 'Always'
    : 'IfNotPresent';
  for (const port of listOf(container['ports'])) fieldsOf(port)['protocol'] ??= 'TCP';
}

function defaultWorkload(object: StoredObject, rest: (spec: Fields) => void): void {
  const spec = fieldsOf(object['spec']);
  spec['replicas'] ??= 1;
  const podSpec = fieldsOf(spec['template'])['spec'];
  if (isFields(podSpec)) defaultPodSpec(podSpec);
  rest(spec);
}

function defaultDeployment(spec: Fields): void {
  spec['revisionHistoryLimit'] ??= 10;
  spec['progressDeadlineSeconds'] ??= 600;
  spec['strategy'] ??= {};
  const strategy = fieldsOf(spec['strategy']);
  strategy['type'] ??= 'RollingUpdate';
  if (strategy['type'] === 'RollingUpdate') {
    strategy['rollingUpdate'] ??= { maxSurge: '25%', maxUnavailable: '25%' };
  }
}

function defaultStatefulSet(spec: Fields): void {
  spec['revisionHistoryLimit'] ??= 10;
  spec['podManagementPolicy'] ??= 'OrderedReady';
  spec['updateStrategy'] ??= { type: 'RollingUpdate', rollingUpdate: { partition: 0 } };
}

function defaultSecret(object: StoredObject): void {
  object['type'] ??= 'Opaque';
  const plain = object['stringData'];
  if (!isFields(plain)) return;
  const encoded = Object.entries(plain).map(([key, text]) => [
    key,
    Buffer.from(String(text)).toString('base64'),
  ]);
  object['data'] = { ...fieldsOf(object['data']), ...Object.fromEntries(encoded) };
  delete object['stringData'];
}

function defaultService(object: StoredObject): void {
  const spec = fieldsOf(object['spec']);
  spec['type'] ??= 'ClusterIP';
  spec['sessionAffinity'] ??= 'None';
  spec['internalTrafficPolicy'] ??= 'Cluster';
  for (const each of listOf(spec['ports'])) {
    const port = fieldsOf(each);
    port['protocol'] ??= 'TCP';
    port['targetPort'] ??= port['port'];
  }
}

function defaultNamespace(object: StoredObject): void {
  object['spec'] = { finalizers: ['kubernetes'], ...fieldsOf(object['spec']) };
  object['status'] ??= { phase: 'Active' };
  const { metadata } = object;
  metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
}

function defaultClaim(object: StoredObject): void {
  fieldsOf(object['spec'])['volumeMode'] ??= 'Filesystem';
}
