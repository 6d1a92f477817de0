import { readFile } from 'node:fs/promises';

import { makeServerCertificate } from '@reposure/core';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject, ResourceType } from '@reposure/core/kubernetes';

import { clusterRegistries } from './cluster-registries.ts';

/** A registry of a product that does not run here, built of what the product is made of. */
export interface StandIn {
  /** Removes what was made, and waits for nothing. */
  close(): Promise<void>;
}

const apiServices: ResourceType = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  plural: 'apiservices',
  namespaced: false,
};

/** Everything that a stand-in is made of. @throws {Error} if the cluster has the real thing. */
async function make(
  kubernetes: KubernetesClient,
  objects: readonly [ResourceType, KubernetesObject][],
): Promise<StandIn> {
  const made: [ResourceType, KubernetesObject][] = [];
  const close = async (): Promise<void> => {
    for (const [each, { metadata }] of made.toReversed()) {
      await kubernetes.delete(each, metadata.name, metadata.namespace);
    }
  };
  try {
    for (const [each, object] of objects) {
      await kubernetes.create(object);
      made.push([each, object]);
    }
    return { close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** `registry:3` behind labels, as the products run it behind theirs; fit for a restricted namespace. */
function registryDeployment(
  name: string,
  namespace: string,
  labels: Record<string, string>,
): KubernetesObject {
  const spec = podSpec([registryContainer(5000)]);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

function podSpec(containers: readonly object[], volumes: readonly object[] = []): object {
  return {
    automountServiceAccountToken: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65_532,
      fsGroup: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers,
    volumes: [{ name: 'data', emptyDir: {} }, ...volumes],
  };
}

const containerSecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
};

function registryContainer(port: number): object {
  return {
    name: 'registry',
    image: 'docker.io/library/registry:3',
    imagePullPolicy: 'IfNotPresent',
    env: [
      { name: 'REGISTRY_HTTP_ADDR', value: `:${port}` },
      { name: 'REGISTRY_STORAGE_DELETE_ENABLED', value: 'true' },
      { name: 'OTEL_TRACES_EXPORTER', value: 'none' },
    ],
    volumeMounts: [{ name: 'data', mountPath: '/var/lib/registry' }],
    securityContext: containerSecurityContext,
  };
}

function namespaceOf(name: string): [ResourceType, KubernetesObject] {
  return [resourceTypes.Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }];
}

/** minikube's add-on, without the DaemonSet `registry-proxy`, which is the nodes' business. */
export async function standInMinikube(kubernetes: KubernetesClient): Promise<StandIn> {
  const labels = { 'actual-registry': 'true', 'kubernetes.io/minikube-addons': 'registry' };
  return make(kubernetes, [
    [resourceTypes.Service, clusterRegistries.minikube],
    [resourceTypes.Deployment, registryDeployment('registry', 'kube-system', labels)],
  ]);
}

/** MicroK8s's add-on, with its ConfigMap of KEP-1755; its volume is an empty one. */
export async function standInMicrok8s(kubernetes: KubernetesClient): Promise<StandIn> {
  const namespace = 'container-registry';
  return make(kubernetes, [
    namespaceOf(namespace),
    [resourceTypes.Deployment, registryDeployment('registry', namespace, { app: 'registry' })],
    [resourceTypes.Service, clusterRegistries.microk8s],
    [resourceTypes.ConfigMap, clusterRegistries.microk8sHosting],
  ]);
}

/**
 * kind with its registry script. There, Docker's DNS knows the container `kind-registry`; here, the
 * cluster's does, in the namespace of the surrogate.
 */
export async function standInKind(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<StandIn> {
  const labels = { app: 'kind-registry' };
  return make(kubernetes, [
    [resourceTypes.ConfigMap, clusterRegistries.kind],
    [resourceTypes.Deployment, registryDeployment('kind-registry', namespace, labels)],
    [
      resourceTypes.Service,
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'kind-registry', namespace },
        spec: { selector: labels, ports: [{ port: 5000, targetPort: 5000 }] },
      },
    ],
  ]);
}

/** OpenShift, as far as it is there. */
export interface OpenShiftStandIn extends StandIn {
  /** PEM, of the service CA. */
  readonly ca: string;
}

/** How the cluster's API is reached from a Pod. */
export interface ApiAccess {
  readonly url: string;
  readonly ca: string;
}

const registryNamespace = 'openshift-image-registry';
const registryName = 'image-registry.openshift-image-registry.svc';

/** The image that runs the stand-in's program. */
export const nodeImage = 'docker.io/library/node:24-slim';

/**
 * OpenShift's registry, image API and role: see `openshift/stand-in.mjs`. Its service-CA operator is
 * {@link fillServiceCa}.
 */
export async function standInOpenShift(
  kubernetes: KubernetesClient,
  api: ApiAccess,
): Promise<OpenShiftStandIn> {
  const { certificatePem, keyPem, caPem } = await makeServerCertificate({
    dnsNames: [registryName],
    addresses: [],
  });
  const script = await readFile(new URL('openshift/stand-in.mjs', import.meta.url), 'utf8');
  const metadata = { name: 'image-registry', namespace: registryNamespace };
  const labels = { 'docker-registry': 'default' };
  const port = (name: string, number: number, target: number): object => ({
    name,
    port: number,
    targetPort: target,
  });
  const standIn = await make(kubernetes, [
    namespaceOf(registryNamespace),
    [resourceTypes.ClusterRole, imageBuilder],
    [resourceTypes.ConfigMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { script } }],
    [
      resourceTypes.Secret,
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata,
        stringData: { 'tls.crt': certificatePem, 'tls.key': keyPem },
      },
    ],
    [resourceTypes.Deployment, openShiftDeployment(metadata, labels, api)],
    [resourceTypes.Service, clusterRegistries.openshift],
    [
      resourceTypes.Service,
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'image-api', namespace: registryNamespace },
        spec: { selector: labels, ports: [port('https', 443, 8443)] },
      },
    ],
    [
      apiServices,
      {
        apiVersion: apiServices.apiVersion,
        kind: apiServices.kind,
        metadata: { name: 'v1.image.openshift.io' },
        spec: {
          group: 'image.openshift.io',
          version: 'v1',
          groupPriorityMinimum: 100,
          versionPriority: 100,
          insecureSkipTLSVerify: true,
          service: { namespace: registryNamespace, name: 'image-api', port: 443 },
        },
      },
    ],
  ]);
  return { ...standIn, ca: caPem };
}

function openShiftDeployment(
  metadata: { name: string; namespace: string },
  labels: Record<string, string>,
  { url, ca }: ApiAccess,
): KubernetesObject {
  const items = [{ key: 'script', path: 'stand-in.mjs' }];
  const container = {
    name: 'openshift',
    image: nodeImage,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '/stand-in/stand-in.mjs', '/tls'],
    env: [
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'REGISTRY_NAME', value: `${registryName}:5000` },
      { name: 'UPSTREAM', value: 'http://$(POD_IP):5001' },
      { name: 'API_URL', value: url },
      { name: 'API_CA', value: ca },
    ],
    volumeMounts: [
      { name: 'script', mountPath: '/stand-in' },
      { name: 'tls', mountPath: '/tls' },
    ],
    securityContext: containerSecurityContext,
  };
  const spec = podSpec(
    [container, registryContainer(5001)],
    [
      { name: 'script', configMap: { name: metadata.name, items } },
      { name: 'tls', secret: { secretName: metadata.name } },
    ],
  );
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

/** As far as images go: openshift/openshift-apiserver, bootstrappolicy, `system:image-builder`. */
const imageBuilder: KubernetesObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'system:image-builder' },
  rules: [
    {
      apiGroups: ['', 'image.openshift.io'],
      resources: ['imagestreams/layers'],
      verbs: ['get', 'update'],
    },
    { apiGroups: ['', 'image.openshift.io'], resources: ['imagestreams'], verbs: ['create'] },
  ],
};

interface ConfigMap extends KubernetesObject {
  data?: Record<string, string>;
}

/**
 * What OpenShift's service-CA operator does to the ConfigMaps of a namespace that ask for it.
 *
 * @see https://github.com/openshift/service-ca-operator, pkg/controller/cabundleinjector/configmap.go
 */
export async function fillServiceCa(
  kubernetes: KubernetesClient,
  namespace: string,
  ca: string,
): Promise<void> {
  const { items } = await kubernetes.list<ConfigMap>(resourceTypes.ConfigMap, { namespace });
  for (const { metadata } of items) {
    if (metadata.annotations?.['service.beta.openshift.io/inject-cabundle'] !== 'true') continue;
    const { name } = metadata;
    const filled: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { 'service-ca.crt': ca },
    };
    await kubernetes.apply(filled, { fieldManager: 'service-ca-operator' });
  }
}
