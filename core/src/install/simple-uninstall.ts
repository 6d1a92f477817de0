import { KubernetesError, resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, ResourceType } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import { names } from '../resource/index.ts';
import { certManagerParts } from './cert-manager.ts';
import { isOurs } from './owned-secret.ts';
import { findSimple, settingsOf, storageKindOf } from './simple-deployment.ts';
import { jobType } from './simple-gc-job.ts';
import { deleteAll } from './teardown.ts';
import type { TeardownOptions } from './teardown.ts';

/** How the simple registry is uninstalled. */
export interface UninstallSimpleOptions extends TeardownOptions {
  /** The volume with the images, too. */
  readonly purge?: boolean | undefined;
}

/**
 * Removes the simple registry and its Secrets from a namespace; a volume with images only if asked.
 * What somebody else made under one of its names stays, and so do images in a bucket.
 */
export async function uninstallSimple(
  kubernetes: KubernetesClient,
  options: UninstallSimpleOptions,
): Promise<void> {
  const { PersistentVolumeClaim } = resourceTypes;
  const { namespace, purge = false, log = silent } = options;
  const deployment = await findSimple(kubernetes, namespace);
  const bucket =
    deployment && storageKindOf(deployment) === 's3'
      ? settingsOf(deployment)['REGISTRY_STORAGE_S3_BUCKET']
      : undefined;
  const all = [...parts(), ...(purge ? [[PersistentVolumeClaim, names.simple] as const] : [])];
  const ours = [];
  for (const part of all) if (await isPartOurs(kubernetes, part, namespace)) ours.push(part);
  await deleteAll(kubernetes, ours, options);
  if (bucket !== undefined) log.info(`Kept bucket ${bucket}: it holds the images`);
  if (purge) return;
  if (await kubernetes.find(PersistentVolumeClaim, names.simple, namespace)) {
    log.info(`Kept PersistentVolumeClaim ${namespace}/${names.simple}: it holds the images`);
  }
}

type Part = readonly [type: ResourceType, name: string];

function parts(): Part[] {
  const { Deployment, Ingress, NetworkPolicy, PodDisruptionBudget, Secret, Service } =
    resourceTypes;
  const secrets = [
    names.simpleLogin,
    names.simpleHtpasswd,
    names.simpleTls,
    names.simpleCa,
    names.simpleConfig,
    names.simpleCertificate,
    names.simpleCertificateCa,
  ];
  return [
    [jobType, names.simpleGc],
    [Deployment, names.simple],
    ...[Ingress, Service, NetworkPolicy, PodDisruptionBudget].map((type): Part => [
      type,
      names.simple,
    ]),
    ...certManagerParts,
    ...secrets.map((name): Part => [Secret, name]),
  ];
}

async function isPartOurs(
  kubernetes: KubernetesClient,
  [type, name]: Part,
  namespace: string,
): Promise<boolean> {
  try {
    const found = await kubernetes.find(type, name, namespace);
    return found !== undefined && isOurs(found);
  } catch (error) {
    // What we may not see we have not made.
    if (error instanceof KubernetesError && error.isForbidden) return false;
    throw error;
  }
}
