import type { KubernetesObject } from '../kubernetes/index.ts';
import { simplePort } from '../providers/index.ts';
import { names } from '../resource/index.ts';
import { labelsOf, selectorOf } from './labels.ts';

/** By which ways the simple registry is reached, and by whom. */
export interface ExposureOptions {
  readonly namespace: string;
  /** Also on a port of every node; `true` lets the cluster choose. */
  readonly nodePort?: boolean | number | undefined;
  readonly ingress?: IngressOptions | undefined;
  readonly networkPolicy?: NetworkPolicyOptions | undefined;
  readonly replicas?: number | undefined;
  readonly tls?: object | undefined;
}

/** An Ingress in front of the registry. */
interface IngressOptions {
  readonly host: string;
  /** The cluster's own by default. */
  readonly className?: string | undefined;
  /** Secret with the certificate for that host. */
  readonly tlsSecret?: string | undefined;
}

/** Who else but surrogates may connect. */
interface NetworkPolicyOptions {
  /** Namespaces whose Pods may, such as the ingress controller's. */
  readonly allowedNamespaces?: readonly string[] | undefined;
}

/** Pods with this label may connect through the NetworkPolicy. */
const clientLabel = 'reposure.puccini.cloud/simple-client';

/** Service, and what is asked for of Ingress, NetworkPolicy and PodDisruptionBudget. */
export function exposureObjects(options: ExposureOptions): KubernetesObject[] {
  const { ingress, networkPolicy, replicas = 1 } = options;
  const object = (
    apiVersion: string,
    kind: string,
    spec: Record<string, unknown>,
  ): KubernetesObject => ({
    apiVersion,
    kind,
    metadata: {
      name: names.simple,
      namespace: options.namespace,
      labels: labelsOf(names.simple, 'registry'),
    },
    spec,
  });
  const selector = { matchLabels: selectorOf(names.simple) };
  return [
    object('v1', 'Service', serviceSpec(options)),
    ...(ingress
      ? [withAnnotations(object('networking.k8s.io/v1', 'Ingress', ingressSpec(ingress)), options)]
      : []),
    ...(networkPolicy
      ? [object('networking.k8s.io/v1', 'NetworkPolicy', policySpec(networkPolicy, options))]
      : []),
    ...(replicas > 1
      ? [object('policy/v1', 'PodDisruptionBudget', { maxUnavailable: 1, selector })]
      : []),
  ];
}

/** Its node port is known only once the API has it. */
function serviceSpec({ nodePort = false, replicas = 1 }: ExposureOptions): Record<string, unknown> {
  return {
    type: nodePort === false ? 'ClusterIP' : 'NodePort',
    selector: selectorOf(names.simple),
    // What a Pod has of an upload and not yet put into the bucket, no other one has.
    sessionAffinity: replicas > 1 ? 'ClientIP' : 'None',
    ports: [
      {
        name: 'registry',
        protocol: 'TCP',
        port: simplePort,
        targetPort: simplePort,
        ...(typeof nodePort === 'number' ? { nodePort } : {}),
      },
    ],
  };
}

function ingressSpec({ host, className, tlsSecret }: IngressOptions): Record<string, unknown> {
  const service = { name: names.simple, port: { number: simplePort } };
  return {
    ...(className === undefined ? {} : { ingressClassName: className }),
    rules: [
      { host, http: { paths: [{ path: '/v2/', pathType: 'Prefix', backend: { service } }] } },
    ],
    ...(tlsSecret === undefined ? {} : { tls: [{ hosts: [host], secretName: tlsSecret }] }),
  };
}

/** What ingress-nginx wants to be told; others do not look at it. */
function withAnnotations(ingress: KubernetesObject, { tls }: ExposureOptions): KubernetesObject {
  const nginx = 'nginx.ingress.kubernetes.io';
  const annotations = {
    // Layers have any size.
    [`${nginx}/proxy-body-size`]: '0',
    [`${nginx}/proxy-request-buffering`]: 'off',
    ...(tls ? { [`${nginx}/backend-protocol`]: 'HTTPS' } : {}),
  };
  return { ...ingress, metadata: { ...ingress.metadata, annotations } };
}

/**
 * A node's own probes always pass. What comes in by a node port has the address of a node, or of its
 * bridge, or of whoever sent it, as the network plugin likes: no policy can tell it from a Pod's, so
 * with a node port the registry's port is open to all.
 */
function policySpec(
  { allowedNamespaces = [] }: NetworkPolicyOptions,
  { nodePort = false }: ExposureOptions,
): Record<string, unknown> {
  const surrogates = { matchLabels: selectorOf('reposure-surrogate') };
  const from = [
    { namespaceSelector: {}, podSelector: surrogates },
    { podSelector: { matchLabels: { [clientLabel]: 'true' } } },
    ...(allowedNamespaces.length === 0 ? [] : [{ namespaceSelector: byName(allowedNamespaces) }]),
  ];
  const ports = [{ protocol: 'TCP', port: simplePort }];
  return {
    podSelector: { matchLabels: selectorOf(names.simple) },
    policyTypes: ['Ingress'],
    ingress: [nodePort === false ? { from, ports } : { ports }],
  };
}

function byName(values: readonly string[]): Record<string, unknown> {
  return { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] };
}
