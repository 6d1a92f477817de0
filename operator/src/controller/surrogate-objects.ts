import { sha256Hex } from '@reposure/core';
import {
  containerPull,
  containerSecurityContext,
  fieldEnv,
  podPull,
  podSecurityContext,
  startupProbe,
} from '@reposure/core/install';
import type { ImagePull } from '@reposure/core/install';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import type { Credentials, Resolved } from '@reposure/core/providers';
import {
  names,
  surrogateGatewayPort,
  surrogateHealthPort,
  surrogatePaths,
} from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';

import { ownedObject, surrogateLabels, surrogateSelector } from './owned-object.ts';

/** What the objects of one surrogate are made from. */
export interface SurrogateOptions {
  readonly registry: Registry;
  readonly resolved: Resolved;
  readonly credentials: Credentials;
  /** The surrogate's. */
  readonly image: string;
  readonly pull?: ImagePull | undefined;
  /** Whether it may know the keys of the proxy route: only the operator's own program may. */
  readonly hasKeys: boolean;
}

/** Changes whenever the surrogate must start anew to know what it should. */
export const configAnnotation = 'reposure.puccini.cloud/config';

const { directory } = surrogatePaths;

/** The kubelet renews a token when four fifths of its time are over. */
const tokenSeconds = 3600;

/** The objects of a Registry's surrogate, in the order to apply them; all owned by the Registry. */
export function surrogateObjects(options: SurrogateOptions): KubernetesObject[] {
  const { registry } = options;
  const object = (
    apiVersion: string,
    kind: string,
    fields: Record<string, unknown>,
  ): KubernetesObject => ownedObject(registry, { apiVersion, kind, fields });
  return [
    object('v1', 'ServiceAccount', { automountServiceAccountToken: false }),
    object('v1', 'ConfigMap', { data: { 'registry.json': configOf(options) } }),
    ...serviceCaObjects(options),
    object('v1', 'Service', { spec: serviceSpec(registry) }),
    object('apps/v1', 'StatefulSet', { spec: statefulSetSpec(options) }),
  ];
}

/**
 * What a Pod of the surrogate is annotated with if it is of today's configuration.
 *
 * What is in the Secrets is no part of it: a Pod reads them again when they change, and with another
 * one in its place there would be nobody to push to for a while. Which of their keys it has, is.
 */
export function configHashOf(options: SurrogateOptions): string {
  const parts = [configOf(options), podSpec(options)];
  return sha256Hex(JSON.stringify(parts)).slice(0, 16);
}

/** Empty as we apply it: OpenShift's service-CA operator fills it, and renews what is in it. */
function serviceCaObjects({ registry, credentials }: SurrogateOptions): KubernetesObject[] {
  const { serviceCa } = credentials;
  if (serviceCa === undefined) return [];
  const object = ownedObject(registry, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: serviceCa.configMap,
    fields: {},
  });
  const annotations = { 'service.beta.openshift.io/inject-cabundle': 'true' };
  return [{ ...object, metadata: { ...object.metadata, annotations } }];
}

function configOf({ resolved }: SurrogateOptions): string {
  return JSON.stringify({ host: resolved.pushHost, insecure: resolved.insecure });
}

/** Headless: the API server's proxy goes to the Pod that is ready, and nobody else comes. */
function serviceSpec({ metadata }: Registry): Record<string, unknown> {
  const port = { protocol: 'TCP' };
  return {
    clusterIP: 'None',
    selector: surrogateSelector(metadata.name),
    ports: [
      { ...port, name: 'health', port: surrogateHealthPort, targetPort: surrogateHealthPort },
      {
        ...port,
        name: names.gatewayPort,
        port: surrogateGatewayPort,
        targetPort: surrogateGatewayPort,
        appProtocol: 'https',
      },
    ],
  };
}

function statefulSetSpec(options: SurrogateOptions): Record<string, unknown> {
  const { registry } = options;
  const { name } = registry.metadata;
  return {
    replicas: registry.spec.replicas ?? 1,
    serviceName: names.surrogate(name),
    // With OrderedReady, a Pod that never became ready is not replaced when its template is mended
    // (kubernetes/kubernetes#67250).
    podManagementPolicy: 'Parallel',
    revisionHistoryLimit: 2,
    selector: { matchLabels: surrogateSelector(name) },
    template: {
      metadata: {
        labels: surrogateLabels(name),
        annotations: { [configAnnotation]: configHashOf(options) },
      },
      spec: podSpec(options),
    },
  };
}

function podSpec(options: SurrogateOptions): Record<string, unknown> {
  const volumes = volumesOf(options);
  return {
    serviceAccountName: names.surrogate(options.registry.metadata.name),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...podPull(options.pull ?? {}),
    securityContext: podSecurityContext,
    containers: [containerOf(options, volumes)],
    volumes: volumes.map(({ volume }) => volume),
  };
}

function containerOf(
  { image, pull = {} }: SurrogateOptions,
  volumes: readonly Mounted[],
): Record<string, unknown> {
  return {
    name: names.surrogateContainer,
    image,
    ...containerPull(pull),
    // Without the gateway's port, which is the default: a Registry may name the image of a version
    // that has no gateway and would not take it.
    command: [
      'reposure-surrogate',
      'run',
      `--directory=${directory}`,
      '--address=$(POD_IP)',
      `--port=${surrogateHealthPort}`,
    ],
    env: [fieldEnv('POD_IP', 'status.podIP')],
    ports: [
      { name: 'health', containerPort: surrogateHealthPort },
      { name: names.gatewayPort, containerPort: surrogateGatewayPort },
    ],
    startupProbe: startupProbe({ path: '/livez', port: surrogateHealthPort }),
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

/** For marks of sessions. With a limit: whoever may exec into the Pod must not be able to fill the node. */
const tmpVolume: Mounted = {
  volume: { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
  mount: { name: 'tmp', mountPath: '/tmp' },
};

/** Of a Secret, only the keys that are used: never a private key that lies beside a certificate. */
function volumesOf({ registry, credentials, hasKeys }: SurrogateOptions): Mounted[] {
  const configMap = { name: names.surrogate(registry.metadata.name) };
  const tls = tlsSourceOf(credentials);
  const login = loginSourceOf(credentials);
  return [
    tmpVolume,
    mounted('config', { configMap }),
    ...(hasKeys ? [mounted('keys', keysOf(registry.metadata.name))] : []),
    ...(tls ? [mounted('tls', tls)] : []),
    ...(login ? [mounted('login', login)] : []),
  ];
}

function tlsSourceOf({ trust, serviceCa }: Credentials): Record<string, unknown> | undefined {
  if (trust) {
    return { secret: { secretName: trust.secret, items: [{ key: trust.key, path: 'ca.crt' }] } };
  }
  // Not optional: no Pod starts before OpenShift has filled it.
  return (
    serviceCa && {
      configMap: { name: serviceCa.configMap, items: [{ key: serviceCa.key, path: 'ca.crt' }] },
    }
  );
}

function loginSourceOf({ login, account }: Credentials): Record<string, unknown> | undefined {
  if (login) {
    const items = login.keys.map((key) => ({ key, path: key }));
    return { secret: { secretName: login.secret, items } };
  }
  // Without an audience: the registry shows the token to the API server, to ask what it may do.
  const serviceAccountToken = { path: 'token', expirationSeconds: tokenSeconds };
  return account && { projected: { sources: [{ serviceAccountToken }] } };
}

function mounted(name: string, source: Record<string, unknown>): Mounted {
  return {
    volume: { name, ...source },
    mount: { name, mountPath: `${directory}/${name}`, readOnly: true },
  };
}

/** One folder for both Secrets, `read` and `write`; without them there is a surrogate all the same. */
function keysOf(registry: string): Record<string, unknown> {
  const sources = [
    keySource(names.readKey(registry), 'read'),
    keySource(names.writeKey(registry), 'write'),
  ];
  return { projected: { sources } };
}

function keySource(name: string, folder: string): Record<string, unknown> {
  const items = ['key', 'previous'].map((key) => ({ key, path: `${folder}/${key}` }));
  return { secret: { name, items, optional: true } };
}
