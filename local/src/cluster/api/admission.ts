import { isDeepStrictEqual } from 'node:util';

import type { NodeBackends } from './backends.ts';
import { admitDefinition } from './crd.ts';
import type { CustomResources } from './crd.ts';
import type { Fields, GivenObject, StoredObject } from './object.ts';
import { fieldsOf, isFields, listOf, textOf } from './object.ts';
import { storedAs } from './resources.ts';
import type { ApiResource } from './resources.ts';
import { badRequest, invalid, StatusError } from './status.ts';
import type { Store } from './store.ts';

/** What admission works with. */
export interface AdmissionContext {
  readonly store: Store;
  readonly custom: CustomResources;
  readonly backends: NodeBackends;
}

/** A write that wants to be let in. */
export interface Write {
  readonly type: ApiResource;
  readonly object: GivenObject;
  readonly current: StoredObject | undefined;
  /** `Strict`, `Warn` or `Ignore`. */
  readonly fieldValidation: string;
  /** Told what the client should know of. */
  readonly warn: (message: string) => void;
}

/**
 * Completes and checks an object before it is stored; it is changed in place.
 *
 * @throws {StatusError} 400 or 422 for what the real API would not take either.
 */
export function admit(context: AdmissionContext, write: Write): void {
  const { type, object } = write;
  const custom = context.custom.versionOf(type);
  if (custom) {
    refuseUnknown(write, custom.structural.prune(object));
    custom.structural.fillDefaults(object);
    refuseCauses(write, custom.structural.validate(object));
    return;
  }
  refuseCauses(write, missingFields(type, object));
  const resource = storedAs(type);
  if (resource === 'customresourcedefinitions.apiextensions.k8s.io') admitDefinition(object);
  if (resource === 'services') allocate(context.backends, object, write.current);
  if (write.current) refuseCauses(write, changedFields(resource, write.current, object));
}

function kindOf({ kind, group }: ApiResource): string {
  return group ? `${kind}.${group}` : kind;
}

interface Cause {
  readonly field: string;
  readonly message: string;
}

function refuseCauses({ type, object }: Write, causes: readonly Cause[]): void {
  if (causes.length > 0) throw invalid(kindOf(type), object.metadata.name ?? '', causes);
}

function refuseUnknown({ fieldValidation, warn, type }: Write, dropped: readonly string[]): void {
  const said = dropped.map((field) => `unknown field "${field}"`);
  if (fieldValidation === 'Strict' && said.length > 0) {
    throw badRequest(
      `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: strict decoding error: ${said.join(', ')}`,
    );
  }
  if (fieldValidation !== 'Ignore') for (const each of said) warn(each);
}

// Only what everything else relies on; a real API server checks far more.
function missingFields(type: ApiResource, object: GivenObject): Cause[] {
  const spec = fieldsOf(object['spec']);
  switch (storedAs(type)) {
    case 'pods':
      return containerCauses(spec, 'spec');
    case 'deployments.apps':
    case 'statefulsets.apps':
    case 'replicasets.apps':
      return workloadCauses(spec);
    case 'services':
      return serviceCauses(spec);
    case 'secrets':
      return secretCauses(object);
    case 'rolebindings.rbac.authorization.k8s.io':
    case 'clusterrolebindings.rbac.authorization.k8s.io':
      return isFields(object['roleRef']) ? [] : [required('roleRef')];
    default:
      return [];
  }
}

function required(field: string): Cause {
  return { field, message: 'Required value' };
}

function containerCauses(spec: Fields, at: string): Cause[] {
  const containers = listOf(spec['containers']).map(fieldsOf);
  if (containers.length === 0) return [required(`${at}.containers`)];
  return containers.flatMap((container, index) =>
    ['name', 'image']
      .filter((field) => !textOf(container[field]))
      .map((field) => required(`${at}.containers[${index}].${field}`)),
  );
}

function workloadCauses(spec: Fields): Cause[] {
  if (!isFields(spec['selector'])) return [required('spec.selector')];
  const template = fieldsOf(spec['template']);
  const labels = fieldsOf(fieldsOf(template['metadata'])['labels']);
  const wanted = Object.entries(fieldsOf(spec['selector']['matchLabels']));
  const causes = containerCauses(fieldsOf(template['spec']), 'spec.template.spec');
  if (wanted.every(([key, value]) => labels[key] === value)) return causes;
  const message = `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``;
  return [...causes, { field: 'spec.template.metadata.labels', message }];
}

function serviceCauses(spec: Fields): Cause[] {
  const isHeadless = spec['clusterIP'] === 'None' || spec['type'] === 'ExternalName';
  return listOf(spec['ports']).length > 0 || isHeadless ? [] : [required('spec.ports')];
}

const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
};

function secretCauses(object: GivenObject): Cause[] {
  const data = { ...fieldsOf(object['data']), ...fieldsOf(object['stringData']) };
  const keys = requiredKeys[textOf(object['type'])] ?? [];
  return keys.filter((key) => data[key] === undefined).map((key) => required(`data[${key}]`));
}

const immutableFields: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  secrets: [['type', '']],
  'deployments.apps': [['spec', 'selector']],
  'replicasets.apps': [['spec', 'selector']],
  'statefulsets.apps': [
    ['spec', 'selector'],
    ['spec', 'serviceName'],
    ['spec', 'volumeClaimTemplates'],
    ['spec', 'podManagementPolicy'],
  ],
  services: [['spec', 'clusterIP']],
  'rolebindings.rbac.authorization.k8s.io': [['roleRef', '']],
  'clusterrolebindings.rbac.authorization.k8s.io': [['roleRef', '']],
};

function changedFields(resource: string, current: StoredObject, next: GivenObject): Cause[] {
  const message = 'Invalid value: field is immutable';
  return (immutableFields[resource] ?? [])
    .filter(([part, field]) => {
      const [old, now] = [current, next].map((each) =>
        field ? fieldsOf(each[part])[field] : each[part],
      );
      return now !== undefined && !isDeepStrictEqual(old, now);
    })
    .map(([part, field]) => ({ field: field ? `${part}.${field}` : part, message }));
}

function allocate(
  backends: NodeBackends,
  object: GivenObject,
  current: StoredObject | undefined,
): void {
  const spec = fieldsOf(object['spec']);
  const kept = fieldsOf(current?.['spec']);
  if (spec['type'] === 'ExternalName') return;
  spec['clusterIP'] ||= kept['clusterIP'] ?? backends.allocateClusterIp?.(object as StoredObject);
  if (spec['clusterIP'] !== undefined) spec['clusterIPs'] = [spec['clusterIP']];
  if (spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer') {
    allocateNodePorts(backends, spec, kept);
  }
}

function allocateNodePorts(backends: NodeBackends, spec: Fields, kept: Fields): void {
  const known = listOf(kept['ports']).map(fieldsOf);
  for (const port of listOf(spec['ports']).map(fieldsOf)) {
    const earlier = known.find((each) => each['port'] === port['port'])?.['nodePort'];
    port['nodePort'] ||= earlier ?? backends.allocateNodePort?.();
  }
}

/**
 * Checks that a namespace takes new objects.
 *
 * @throws {StatusError} 404 if there is none, 403 if it is being deleted.
 */
export function admitNamespace(store: Store, namespace: string, resource: string): void {
  const found = store.peek('namespaces', undefined, namespace);
  if (!found) {
    throw new StatusError(404, 'NotFound', `namespaces "${namespace}" not found`, {
      name: namespace,
      kind: 'namespaces',
    });
  }
  if (!found.metadata.deletionTimestamp) return;
  throw new StatusError(
    403,
    'Forbidden',
    `${resource} is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      kind: resource,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  );
}

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Checks a new object's name. @throws {StatusError} 422 */
export function admitName(type: ApiResource, name: string): void {
  const isPathSegment = type.group === 'rbac.authorization.k8s.io';
  const isFine = isPathSegment
    ? name !== '.' && name !== '..' && !/[/%]/.test(name)
    : subdomain.test(name);
  if (isFine && name.length <= 253) return;
  const message = `Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`;
  throw invalid(kindOf(type), name, [{ field: 'metadata.name', message }]);
}
