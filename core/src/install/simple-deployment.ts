import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';

/** As much of the simple registry's Deployment as says how it was installed, and how it is. */
export interface SimpleDeployment extends KubernetesObject {
  spec?: {
    replicas?: number;
    template?: {
      metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
      spec?: PodSpec;
    };
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
  };
}

interface PodSpec {
  containers?: readonly Container[];
  volumes?: readonly Volume[];
  [field: string]: unknown;
}

interface Container {
  name: string;
  image?: string;
  volumeMounts?: readonly { name: string }[];
  env?: readonly { name: string; value?: string }[];
  [field: string]: unknown;
}

interface Volume {
  name: string;
  emptyDir?: object;
  secret?: { secretName?: string };
  persistentVolumeClaim?: { claimName?: string };
}

/** Where the images are: with the Pod, on a volume, or in a bucket. */
export type StorageKind = 'temporary' | 'volume' | 's3';

/** Names the certificate that a Pod of this template serves: Distribution reads it once. */
export const tlsAnnotation = 'reposure.puccini.cloud/tls';

/** What makes Distribution take nothing new; it panics at `…_READONLY_ENABLED`. */
export const readOnlyVariable = 'REGISTRY_STORAGE_MAINTENANCE_READONLY';

/** The value of {@link readOnlyVariable}. */
export function readOnlySetting(enabled: boolean): string {
  return JSON.stringify({ enabled });
}

/** The simple registry's Deployment, if there is one. */
export async function findSimple(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<SimpleDeployment | undefined> {
  return kubernetes.find<SimpleDeployment>(resourceTypes.Deployment, names.simple, namespace);
}

/** The Secret that a volume of the Pods shows. */
export function mountedSecret(deployment: SimpleDeployment, volume: string): string | undefined {
  const volumes = deployment.spec?.template?.spec?.volumes ?? [];
  return volumes.find(({ name }) => name === volume)?.secret?.secretName;
}

/** Where its images are. */
export function storageKindOf(deployment: SimpleDeployment): StorageKind {
  const volumes = deployment.spec?.template?.spec?.volumes ?? [];
  const storage = volumes.find(({ name }) => name === 'storage');
  if (storage === undefined) return 's3';
  return storage.persistentVolumeClaim ? 'volume' : 'temporary';
}

/** Its settings: the environment of its container. */
export function settingsOf(deployment: SimpleDeployment): Record<string, string | undefined> {
  const [container] = deployment.spec?.template?.spec?.containers ?? [];
  const pairs = (container?.env ?? []).map(({ name, value }) => [name, value] as const);
  return Object.fromEntries<string | undefined>(pairs);
}

/** Which image of Distribution it runs. */
export function imageOf(deployment: SimpleDeployment): string | undefined {
  return deployment.spec?.template?.spec?.containers?.[0]?.image;
}

/** Whether it takes nothing new. */
export function isReadOnly(deployment: SimpleDeployment): boolean {
  return settingsOf(deployment)[readOnlyVariable] === readOnlySetting(true);
}

/** The same with one annotation of its Pods changed: another template, and so other Pods. */
export function withAnnotation(
  deployment: SimpleDeployment,
  key: string,
  value: string,
): SimpleDeployment {
  const { spec } = deployment;
  const annotations = { ...spec?.template?.metadata?.annotations, [key]: value };
  const metadata = { ...spec?.template?.metadata, annotations };
  return { ...deployment, spec: { ...spec, template: { ...spec?.template, metadata } } };
}

/** The same with one setting changed. */
export function withSetting(
  deployment: SimpleDeployment,
  setting: string,
  value: string,
): SimpleDeployment {
  const { spec } = deployment;
  const [container, ...others] = spec?.template?.spec?.containers ?? [];
  if (container === undefined) return deployment;
  const rest = (container.env ?? []).filter(({ name }) => name !== setting);
  const env = [...rest, { name: setting, value }];
  const podSpec = { ...spec?.template?.spec, containers: [{ ...container, env }, ...others] };
  return { ...deployment, spec: { ...spec, template: { ...spec?.template, spec: podSpec } } };
}
