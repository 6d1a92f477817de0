import type { KubernetesObject } from '@reposure/core/kubernetes';

/**
 * What registries of clusters leave in their clusters: the very objects of the products' manifests
 * (fetched November 2026, at the paths named), as far as somebody could go by them.
 */
export const clusterRegistries = {
  /** kubernetes/minikube, deploy/addons/registry/registry-svc.yaml.tmpl, at 453b8630. */
  minikube: serviceOf(
    'registry',
    'kube-system',
    {
      type: 'ClusterIP',
      ports: [{ port: 80, targetPort: 5000 }],
      selector: { 'actual-registry': 'true', 'kubernetes.io/minikube-addons': 'registry' },
    },
    {
      'kubernetes.io/minikube-addons': 'registry',
      'addonmanager.kubernetes.io/mode': 'Reconcile',
    },
  ),
  /** canonical/microk8s-core-addons, addons/registry/registry.yaml, at 3af1d491. */
  microk8s: serviceOf(
    'registry',
    'container-registry',
    {
      type: 'NodePort',
      selector: { app: 'registry' },
      ports: [{ name: 'registry', port: 5000, targetPort: 5000, nodePort: 32_000 }],
    },
    { app: 'registry' },
  ),
  /** The same file: MicroK8s tells of its registry by KEP-1755, too. */
  microk8sHosting: hostingOf(
    'help: "https://microk8s.io/docs/registry-built-in"\nhost: "localhost:32000"\n',
  ),
  /** kubernetes-sigs/kind, site/static/examples/kind-with-registry.sh, at 0f1d6c1c. */
  kind: hostingOf(
    'host: "localhost:5001"\nhelp: "https://kind.sigs.k8s.io/docs/user/local-registry/"\n',
  ),
  /** As k3d 5 writes it for `--registry-create sample-registry`. */
  k3d: hostingOf(
    [
      'host: localhost:52793',
      'hostFromContainerRuntime: k3d-sample-registry:5000',
      'hostFromClusterNetwork: k3d-sample-registry:5000',
      'help: https://k3d.io/stable/usage/registries/#using-a-local-registry',
    ].join('\n'),
  ),
  /** openshift/cluster-image-registry-operator, pkg/resource/service.go: what it makes of it. */
  openshift: serviceOf('image-registry', 'openshift-image-registry', {
    type: 'ClusterIP',
    selector: { 'docker-registry': 'default' },
    ports: [{ name: '5000-tcp', port: 5000, protocol: 'TCP', targetPort: 5000 }],
  }),
} as const;

function serviceOf(
  name: string,
  namespace: string,
  spec: object,
  labels: Record<string, string> = {},
): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace, labels }, spec };
}

/** The ConfigMap of KEP-1755. */
export function hostingOf(text: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'local-registry-hosting', namespace: 'kube-public' },
    data: { 'localRegistryHosting.v1': text },
  };
}
