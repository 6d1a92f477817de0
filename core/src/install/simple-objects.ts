import type { KubernetesObject } from '../kubernetes/index.ts';
import { simplePort } from '../providers/index.ts';
import { names } from '../resource/index.ts';
import { containerPull, podPull } from './image-pull.ts';
import type { ImagePull } from './image-pull.ts';
import { labelsOf, selectorOf } from './labels.ts';
import { containerSecurityContext, podSecurityContext, userId } from './pod-security.ts';

/** What the simple registry's Deployment and Service are made from. */
export interface SimpleObjectsOptions extends ImagePull {
  readonly namespace: string;
  /** Distribution, 2.8 or later. */
  readonly image?: string | undefined;
  /** Serve HTTPS with the certificate in the Secret `reposure-simple-authentication`. */
  readonly tls?: boolean | undefined;
  /** Let in who is in the Secret `reposure-simple-htpasswd`. */
  readonly login?: boolean | undefined;
  /** Also on a port of every node; `true` lets the cluster choose. */
  readonly nodePort?: boolean | number | undefined;
  /** Of a volume that outlives the Pod, such as `10Gi`; without it, images go with the Pod. */
  readonly storage?: string | undefined;
  /** Changes whenever the certificate does: Distribution reads it once. */
  readonly tlsFingerprint?: string | undefined;
}

/** Distribution 3; what the tests run against. */
export const simpleImage = 'docker.io/library/registry:3';

const paths = {
  storage: '/var/lib/registry',
  tls: '/etc/reposure/tls',
  htpasswd: '/etc/reposure/htpasswd',
} as const;

/** The simple registry's objects, in the order to apply them; its Secrets are not among them. */
export function simpleObjects(options: SimpleObjectsOptions): KubernetesObject[] {
  const { storage } = options;
  return [
    ...(storage === undefined
      ? []
      : [
          object('v1', 'PersistentVolumeClaim', options, {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage } },
          }),
        ]),
    simpleService(options),
    object('apps/v1', 'Deployment', options, {
      replicas: 1,
      // Two registries must not write to one volume.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: selectorOf(names.simple) },
      template: {
        metadata: {
          labels: labelsOf(names.simple, 'registry'),
          annotations: { 'reposure.puccini.cloud/tls': options.tlsFingerprint ?? 'none' },
        },
        spec: podSpec(options),
      },
    }),
  ];
}

/** The simple registry's Service: its node port is known only once the API has it. */
function simpleService(options: SimpleObjectsOptions): KubernetesObject {
  const { nodePort = false } = options;
  return object('v1', 'Service', options, {
    type: nodePort === false ? 'ClusterIP' : 'NodePort',
    selector: selectorOf(names.simple),
    ports: [
      {
        name: 'registry',
        protocol: 'TCP',
        port: simplePort,
        targetPort: simplePort,
        ...(typeof nodePort === 'number' ? { nodePort } : {}),
      },
    ],
  });
}

function object(
  apiVersion: string,
  kind: string,
  { namespace }: SimpleObjectsOptions,
  spec: Record<string, unknown>,
): KubernetesObject {
  const labels = labelsOf(names.simple, 'registry');
  return { apiVersion, kind, metadata: { name: names.simple, namespace, labels }, spec };
}

function podSpec(options: SimpleObjectsOptions): Record<string, unknown> {
  return {
    automountServiceAccountToken: false,
    ...podPull(options),
    securityContext: { ...podSecurityContext, runAsUser: userId, fsGroup: userId },
    containers: [
      {
        name: 'registry',
        image: options.image ?? simpleImage,
        ...containerPull(options),
        env: Object.entries(environmentOf(options)).map(([name, value]) => ({ name, value })),
        ports: [{ name: 'registry', containerPort: simplePort }],
        readinessProbe: {
          httpGet: { path: '/', port: simplePort, scheme: options.tls ? 'HTTPS' : 'HTTP' },
          periodSeconds: 5,
        },
        resources: { requests: { cpu: '50m', memory: '64Mi' } },
        terminationMessagePolicy: 'FallbackToLogsOnError',
        securityContext: containerSecurityContext,
        volumeMounts: volumesOf(options).map(({ mount }) => mount),
      },
    ],
    volumes: volumesOf(options).map(({ volume }) => volume),
  };
}

/** @see https://distribution.github.io/distribution/about/configuration/ */
function environmentOf({ tls, login }: SimpleObjectsOptions): Record<string, string> {
  return {
    REGISTRY_HTTP_ADDR: `:${simplePort}`,
    REGISTRY_STORAGE_DELETE_ENABLED: 'true',
    REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: paths.storage,
    // Version 3 otherwise waits for a collector that is not there.
    OTEL_TRACES_EXPORTER: 'none',
    ...(tls && {
      REGISTRY_HTTP_TLS_CERTIFICATE: `${paths.tls}/tls.crt`,
      REGISTRY_HTTP_TLS_KEY: `${paths.tls}/tls.key`,
    }),
    ...(login && {
      REGISTRY_AUTH: 'htpasswd',
      REGISTRY_AUTH_HTPASSWD_REALM: 'Reposure',
      REGISTRY_AUTH_HTPASSWD_PATH: `${paths.htpasswd}/htpasswd`,
    }),
  };
}

/** A volume and where it is mounted. */
interface Mounted {
  volume: Record<string, unknown>;
  mount: Record<string, unknown>;
}

function volumesOf({ tls, login, storage }: SimpleObjectsOptions): Mounted[] {
  const source =
    storage === undefined
      ? { emptyDir: {} }
      : { persistentVolumeClaim: { claimName: names.simple } };
  return [
    {
      volume: { name: 'storage', ...source },
      mount: { name: 'storage', mountPath: paths.storage },
    },
    ...(tls ? [secretVolume('tls', names.simpleTls, paths.tls)] : []),
    ...(login ? [secretVolume('htpasswd', names.simpleHtpasswd, paths.htpasswd)] : []),
  ];
}

/** A folder, not a subPath: only that follows when the Secret changes. */
function secretVolume(name: string, secretName: string, mountPath: string): Mounted {
  return {
    volume: { name, secret: { secretName } },
    mount: { name, mountPath, readOnly: true },
  };
}
