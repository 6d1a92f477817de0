import { InputError } from '../errors.ts';
import type { KubernetesClient, KubernetesObject, ResourceType } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';
import { labelsOf, selectorOf } from './labels.ts';
import type { SimpleDeployment } from './simple-deployment.ts';
import { configFile } from './simple-objects.ts';

/** Jobs: of the garbage collection only. */
export const jobType: ResourceType = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  plural: 'jobs',
  namespaced: true,
};

/** As much of a Job as says how far it is. */
export interface Job extends KubernetesObject {
  spec?: { suspend?: boolean; [field: string]: unknown };
  status?: {
    active?: number;
    conditions?: readonly { type: string; status: string; message?: string }[];
  };
}

/** What is collected, and how. */
export interface CollectionOptions {
  /** Also manifests without a tag. Signatures and other referrers have none. */
  readonly deleteUntagged?: boolean | undefined;
  /** Only say what would be deleted. */
  readonly dryRun?: boolean | undefined;
  readonly timeoutMs: number;
}

/** Whether a Job has ended, one way or the other. */
export function endOfJob({ status }: Job): 'complete' | 'failed' | undefined {
  const isTrue = (type: string): boolean =>
    status?.conditions?.some((each) => each.type === type && each.status === 'True') === true;
  if (isTrue('Complete')) return 'complete';
  return isTrue('Failed') ? 'failed' : undefined;
}

/** The Job of a garbage collection, if there is one. */
export async function findCollection(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<Job | undefined> {
  return kubernetes.find<Job>(jobType, names.simpleGc, namespace);
}

/** @throws {InputError} if the registry is read-only because garbage is being collected. */
export async function refuseWhileCollecting(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<void> {
  const job = await findCollection(kubernetes, namespace);
  if (job === undefined || endOfJob(job) !== undefined) return;
  throw new InputError(
    `Cannot change the simple registry of namespace "${namespace}": its garbage is being collected; want Job ${names.simpleGc} to end first`,
  );
}

/**
 * The Job that collects garbage: the registry's own Pod, with another command, and without what only
 * a server needs. It is suspended at first: it must not run before nobody writes any more.
 */
export function collectionJob(deployment: SimpleDeployment, options: CollectionOptions): Job {
  const { namespace = '' } = deployment.metadata;
  const labels = labelsOf(names.simpleGc, 'registry');
  return {
    apiVersion: jobType.apiVersion,
    kind: jobType.kind,
    metadata: { name: names.simpleGc, namespace, labels },
    spec: {
      suspend: true,
      backoffLimit: 1,
      activeDeadlineSeconds: Math.ceil(options.timeoutMs / 1000),
      ttlSecondsAfterFinished: 24 * 60 * 60,
      template: { metadata: { labels }, spec: podSpecOf(deployment, options) },
    },
  };
}

function podSpecOf(
  { spec }: SimpleDeployment,
  { deleteUntagged, dryRun }: CollectionOptions,
): Record<string, unknown> {
  const { containers = [], volumes = [], affinity, ...rest } = spec?.template?.spec ?? {};
  const container = containers[0] ?? { name: 'registry' };
  const {
    name,
    image,
    imagePullPolicy,
    resources,
    securityContext,
    env = [],
    volumeMounts = [],
  } = container;
  return {
    ...rest,
    // Where the registry's volume is.
    ...(affinity ? { affinity: nextToRegistry } : {}),
    restartPolicy: 'Never',
    containers: [
      {
        name,
        image,
        imagePullPolicy,
        resources,
        securityContext,
        terminationMessagePolicy: 'FallbackToLogsOnError',
        command: [
          'registry',
          'garbage-collect',
          ...(deleteUntagged ? ['--delete-untagged'] : []),
          ...(dryRun ? ['--dry-run'] : []),
          configFile,
        ],
        env: env.filter((each) => !/^REGISTRY_(HTTP|AUTH)/.test(each.name)),
        volumeMounts: volumeMounts.filter(isNeeded),
      },
    ],
    volumes: volumes.filter(isNeeded),
  };
}

function isNeeded({ name }: { readonly name: string }): boolean {
  return name === 'storage' || name === 'config';
}

const nextToRegistry = {
  podAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      {
        labelSelector: { matchLabels: selectorOf(names.simple) },
        topologyKey: 'kubernetes.io/hostname',
      },
    ],
  },
};
