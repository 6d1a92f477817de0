import { sha256Hex } from '@reposure/core';
import {
  containerSecurityContext,
  fieldEnv,
  labelsOf,
  podSecurityContext,
  selectorOf,
} from '@reposure/core/install';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import type { Credentials, Resolved } from '@reposure/core/providers';
import { names, registryLabel, surrogateHealthPort } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';

/** What the objects of one surrogate are made from. */
export interface SurrogateOptions {
  readonly registry: Registry;
  readonly resolved: Resolved;
  readonly credentials: Credentials;
  /** The surrogate's. */
  readonly image: string;
}

/** Changes whenever the surrogate must start anew to know what it should. */
export const configAnnotation = 'reposure.puccini.cloud/config';

const directory = '/etc/reposure';

/** The objects of a Registry's surrogate, in the order to apply them; all owned by the Registry. */
export function surrogateObjects(options: SurrogateOptions): KubernetesObject[] {
  const { registry } = options;
  return [
    object('v1', 'ServiceAccount', registry, { automountServiceAccountToken: false }),
    object('v1', 'ConfigMap', registry, { data: { 'registry.json': configOf(options) } }),
    object('v1', 'Service', registry, {
      spec: {
        clusterIP: 'None',
        selector: podSelector(registry),
        ports: [
          {
            name: 'health',
            protocol: 'TCP',
            port: surrogateHealthPort,
            targetPort: surrogateHealthPort,
          },
        ],
      },
    }),
    object('apps/v1', 'StatefulSet', registry, { spec: statefulSetSpec(options) }),
  ];
}

/** What a Pod of the surrogate is annotated with if it is of today's configuration. */
export function configHashOf(options: SurrogateOptions): string {
  const { trust, login } = options.credentials;
  return sha256Hex(JSON.stringify([configOf(options), options.image, trust, login])).slice(0, 16);
}

function configOf({ resolved }: SurrogateOptions): string {
  return JSON.stringify({ host: resolved.pushHost, insecure: resolved.insecure });
}

function object(
  apiVersion: string,
  kind: string,
  { apiVersion: ownerVersion, kind: ownerKind, metadata }: Registry,
  fields: Record<string, unknown>,
): KubernetesObject {
  const { name, namespace, uid = '' } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name: names.surrogate(name),
      namespace,
      labels: podLabels(name),
      ownerReferences: [{ apiVersion: ownerVersion, kind: ownerKind, name, uid, controller: true }],
    },
    ...fields,
  };
}

function podLabels(registry: string): Record<string, string> {
  return { ...labelsOf('reposure-surrogate', 'surrogate'), [registryLabel]: registry };
}

function podSelector({ metadata }: Registry): Record<string, string> {
  return { ...selectorOf('reposure-surrogate'), [registryLabel]: metadata.name };
}

function statefulSetSpec(options: SurrogateOptions): Record<string, unknown> {
  const { registry } = options;
  const { name } = registry.metadata;
  const volumes = volumesOf(options);
  return {
    replicas: registry.spec.replicas ?? 1,
    serviceName: names.surrogate(name),
    // With OrderedReady, a Pod that never became ready is not replaced when its template is mended
    // (kubernetes/kubernetes#67250).
    podManagementPolicy: 'Parallel',
    revisionHistoryLimit: 2,
    selector: { matchLabels: podSelector(registry) },
    template: {
      metadata: {
        labels: podLabels(name),
        annotations: { [configAnnotation]: configHashOf(options) },
      },
      spec: {
        serviceAccountName: names.surrogate(name),
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: podSecurityContext,
        containers: [containerOf(options.image, volumes)],
        volumes: volumes.map(({ volume }) => volume),
      },
    },
  };
}

function containerOf(image: string, volumes: readonly Mounted[]): Record<string, unknown> {
  return {
    name: names.surrogateContainer,
    image,
    command: [
      'reposure-surrogate',
      'run',
      `--directory=${directory}`,
      '--address=$(POD_IP)',
      `--port=${surrogateHealthPort}`,
    ],
    env: [fieldEnv('POD_IP', 'status.podIP')],
    ports: [{ name: 'health', containerPort: surrogateHealthPort }],
    livenessProbe: probe('/livez', 20),
    readinessProbe: probe('/readyz', 5),
    resources: { requests: { cpu: '20m', memory: '64Mi' } },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: containerSecurityContext,
    volumeMounts: volumes.map(({ mount }) => mount),
  };
}

function probe(path: string, periodSeconds: number): Record<string, unknown> {
  return {
    httpGet: { path, port: surrogateHealthPort },
    periodSeconds,
    // It asks the registry before it answers.
    timeoutSeconds: 10,
  };
}

interface Mounted {
  volume: Record<string, unknown>;
  mount: Record<string, unknown>;
}

/** Of a Secret, only the keys that are used: never a private key that lies beside a certificate. */
function volumesOf({ registry, credentials }: SurrogateOptions): Mounted[] {
  const { trust, login } = credentials;
  const configMap = { name: names.surrogate(registry.metadata.name) };
  return [
    { volume: { name: 'tmp', emptyDir: {} }, mount: { name: 'tmp', mountPath: '/tmp' } },
    mounted('config', { configMap }),
    ...(trust
      ? [
          mounted('tls', {
            secret: { secretName: trust.secret, items: [{ key: trust.key, path: 'ca.crt' }] },
          }),
        ]
      : []),
    ...(login
      ? [
          mounted('login', {
            secret: {
              secretName: login.secret,
              items: login.keys.map((key) => ({ key, path: key })),
            },
          }),
        ]
      : []),
  ];
}

function mounted(name: string, source: Record<string, unknown>): Mounted {
  return {
    volume: { name, ...source },
    mount: { name, mountPath: `${directory}/${name}`, readOnly: true },
  };
}
