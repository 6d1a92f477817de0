import type { KubernetesObject } from '../kubernetes/index.ts';
import { simplePort } from '../providers/index.ts';
import { names } from '../resource/index.ts';
import { containerPull, podPull } from './image-pull.ts';
import type { ImagePull } from './image-pull.ts';
import { labelsOf, selectorOf } from './labels.ts';
import { containerSecurityContext, podSecurityContext, userId } from './pod-security.ts';
import { readOnlySetting, readOnlyVariable, tlsAnnotation } from './simple-deployment.ts';
import { exposureObjects } from './simple-exposure.ts';
import type { ExposureOptions } from './simple-exposure.ts';
import { defaultSizeLimit, temporaryStorage } from './simple-storage.ts';
import type { S3Storage, SimpleStorage } from './simple-storage.ts';
import { startupProbe } from './startup-probe.ts';

/** What the simple registry's objects are made from. */
export interface SimpleObjectsOptions extends ExposureOptions, ImagePull {
  readonly namespace: string;
  /** Distribution, 2.8 or later. */
  readonly image?: string | undefined;
  /** Serve HTTPS with the certificate in this Secret; the fingerprint changes when it does. */
  readonly tls?: { readonly secret: string; readonly fingerprint: string } | undefined;
  /** Let in who is in the Secret `reposure-simple-htpasswd`. */
  readonly login?: boolean | undefined;
  readonly storage?: SimpleStorage | undefined;
  /** More than one only where images are in a bucket. */
  readonly replicas?: number | undefined;
  /** Changes whenever the secret part of the configuration does: Distribution reads it once. */
  readonly configFingerprint?: string | undefined;
}

/** Distribution 3; what the tests run against. */
export const simpleImage = 'docker.io/library/registry:3';

const paths = {
  storage: '/var/lib/registry',
  tls: '/etc/reposure/tls',
  htpasswd: '/etc/reposure/htpasswd',
  config: '/etc/reposure/config',
} as const;

/** Where Distribution finds the secret part of its configuration; the environment has the rest. */
export const configFile = `${paths.config}/config.yml`;

/** The simple registry's objects, in the order to apply them; its Secrets are not among them. */
export function simpleObjects(options: SimpleObjectsOptions): KubernetesObject[] {
  const storage = storageOf(options);
  return [
    ...(storage.kind === 'volume' ? [claim(options.namespace, storage)] : []),
    ...exposureObjects(options),
    object('apps/v1', 'Deployment', options.namespace, {
      replicas: options.replicas ?? 1,
      strategy: strategyOf(storage),
      selector: { matchLabels: selectorOf(names.simple) },
      template: {
        metadata: {
          labels: labelsOf(names.simple, 'registry'),
          annotations: {
            [tlsAnnotation]: options.tls?.fingerprint ?? 'none',
            'reposure.puccini.cloud/config': options.configFingerprint ?? 'none',
          },
        },
        spec: podSpec(options),
      },
    }),
  ];
}

function storageOf({ storage = temporaryStorage }: SimpleObjectsOptions): SimpleStorage {
  return storage;
}

/**
 * The next Pod serves before the last one goes, so that nobody waits for another certificate. Two of
 * Distribution may work on one folder or bucket, if they share the secret that signs uploads.
 */
function strategyOf({ kind }: SimpleStorage): Record<string, unknown> {
  if (kind === 'temporary') return { type: 'Recreate' };
  return { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
}

function claim(
  namespace: string,
  { size, storageClass }: Extract<SimpleStorage, { kind: 'volume' }>,
): KubernetesObject {
  return object('v1', 'PersistentVolumeClaim', namespace, {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: size } },
    ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
  });
}

function object(
  apiVersion: string,
  kind: string,
  namespace: string,
  spec: Record<string, unknown>,
): KubernetesObject {
  const labels = labelsOf(names.simple, 'registry');
  return { apiVersion, kind, metadata: { name: names.simple, namespace, labels }, spec };
}

function podSpec(options: SimpleObjectsOptions): Record<string, unknown> {
  const volumes = volumesOf(options);
  const storage = storageOf(options);
  const answers = { path: '/', port: simplePort, scheme: options.tls ? 'HTTPS' : 'HTTP' };
  return {
    automountServiceAccountToken: false,
    ...podPull(options),
    enableServiceLinks: false,
    securityContext: { ...podSecurityContext, runAsUser: userId, fsGroup: userId },
    ...placementOf(storage),
    containers: [
      {
        name: 'registry',
        image: options.image ?? simpleImage,
        ...containerPull(options),
        // Whatever the image's entry point is: the official one and others differ in it.
        command: ['registry', 'serve', configFile],
        env: Object.entries(environmentOf(options)).map(([name, value]) => ({ name, value })),
        ports: [{ name: 'registry', containerPort: simplePort }],
        startupProbe: startupProbe(answers),
        readinessProbe: { httpGet: answers, periodSeconds: 5 },
        // Until every node knows that this Pod goes, some send requests here.
        ...(storage.kind === 'temporary'
          ? {}
          : { lifecycle: { preStop: { sleep: { seconds: 3 } } } }),
        resources: { requests: { cpu: '50m', memory: '64Mi' } },
        terminationMessagePolicy: 'FallbackToLogsOnError',
        securityContext: containerSecurityContext,
        volumeMounts: volumes.map(({ mount }) => mount),
      },
    ],
    volumes: volumes.map(({ volume }) => volume),
  };
}

/** A volume is on one node at a time, and the next Pod comes while the last one is there. */
function placementOf({ kind }: SimpleStorage): Record<string, unknown> {
  const labelSelector = { matchLabels: selectorOf(names.simple) };
  const topologyKey = 'kubernetes.io/hostname';
  switch (kind) {
    case 'temporary':
      return {};
    case 'volume':
      return {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector, topologyKey }],
          },
        },
      };
    case 's3':
      return {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey, whenUnsatisfiable: 'ScheduleAnyway', labelSelector },
        ],
      };
  }
}

/** @see https://distribution.github.io/distribution/about/configuration/ */
function environmentOf(options: SimpleObjectsOptions): Record<string, string> {
  const { tls, login } = options;
  return {
    REGISTRY_HTTP_ADDR: `:${simplePort}`,
    REGISTRY_HTTP_DRAINTIMEOUT: '20s',
    ...storageEnvironment(storageOf(options)),
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

function storageEnvironment(storage: SimpleStorage): Record<string, string> {
  return {
    REGISTRY_STORAGE_DELETE_ENABLED: 'true',
    // Written, so that whoever applies this ends an earlier read-only.
    [readOnlyVariable]: readOnlySetting(false),
    ...(storage.kind === 's3'
      ? s3Environment(storage)
      : { REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: paths.storage }),
  };
}

/** @see https://distribution.github.io/distribution/storage-drivers/s3/ */
function s3Environment(storage: S3Storage): Record<string, string> {
  const { bucket, endpoint, region = 'us-east-1', prefix } = storage;
  return {
    REGISTRY_STORAGE_S3_BUCKET: bucket,
    REGISTRY_STORAGE_S3_REGION: region,
    ...(prefix === undefined ? {} : { REGISTRY_STORAGE_S3_ROOTDIRECTORY: prefix }),
    ...(endpoint !== undefined && {
      REGISTRY_STORAGE_S3_REGIONENDPOINT: endpoint,
      REGISTRY_STORAGE_S3_FORCEPATHSTYLE: 'true',
      REGISTRY_STORAGE_S3_SECURE: String(endpoint.startsWith('https:')),
    }),
    // Nodes and clients that reach the registry need not reach the bucket.
    REGISTRY_STORAGE_REDIRECT_DISABLE: 'true',
  };
}

/** A volume and where it is mounted. */
interface Mounted {
  volume: Record<string, unknown>;
  mount: Record<string, unknown>;
}

function volumesOf(options: SimpleObjectsOptions): Mounted[] {
  const { tls, login } = options;
  const source = storageSource(storageOf(options));
  return [
    ...(source
      ? [
          {
            volume: { name: 'storage', ...source },
            mount: { name: 'storage', mountPath: paths.storage },
          },
        ]
      : []),
    secretVolume('config', names.simpleConfig, paths.config),
    ...(tls ? [secretVolume('tls', tls.secret, paths.tls)] : []),
    ...(login ? [secretVolume('htpasswd', names.simpleHtpasswd, paths.htpasswd)] : []),
  ];
}

function storageSource(storage: SimpleStorage): Record<string, unknown> | undefined {
  switch (storage.kind) {
    case 'temporary':
      return { emptyDir: { sizeLimit: storage.sizeLimit ?? defaultSizeLimit } };
    case 'volume':
      return { persistentVolumeClaim: { claimName: names.simple } };
    case 's3':
      return undefined;
  }
}

/** A folder, not a subPath: only that follows when the Secret changes. */
function secretVolume(name: string, secretName: string, mountPath: string): Mounted {
  return {
    volume: { name, secret: { secretName } },
    mount: { name, mountPath, readOnly: true },
  };
}
