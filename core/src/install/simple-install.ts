import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { serviceHost, simplePort } from '../providers/index.ts';
import { names } from '../resource/index.ts';
import { waitForRollout } from './rollout.ts';
import type { Login } from './simple-login.ts';
import { simpleObjects } from './simple-objects.ts';
import type { SimpleObjectsOptions } from './simple-objects.ts';
import { ensureLogin, ensureTls } from './simple-secrets.ts';
import { deleteAll } from './teardown.ts';
import type { TeardownOptions } from './teardown.ts';

/** How the simple registry is installed. */
export interface InstallSimpleOptions extends Omit<
  SimpleObjectsOptions,
  'login' | 'tlsFingerprint'
> {
  /** `true` for a random password, kept when it is installed again. */
  readonly login?: boolean | Login | undefined;
  /** Return only when it works. */
  readonly wait?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** By which names an installed simple registry is reached. */
export interface SimpleHosts {
  readonly pushHost: string;
  /** `undefined` without a node port. */
  readonly pullHost: string | undefined;
}

interface Deployment extends KubernetesObject {
  spec?: { template?: { spec?: { volumes?: readonly { emptyDir?: object }[] } } };
}

interface Service extends KubernetesObject {
  spec?: { ports?: readonly { port: number; nodePort?: number }[] };
}

/**
 * Installs the simple registry in a namespace, or brings the one that is there to what is asked for.
 *
 * @throws {KubernetesError} if the API refuses.
 * @throws {TimeoutError} if `wait`, and it does not work in time.
 */
export async function installSimple(
  kubernetes: KubernetesClient,
  options: InstallSimpleOptions,
): Promise<SimpleHosts> {
  const { namespace, login = false, log = silent, timeoutMs = 120_000, signal } = options;
  const tlsFingerprint = options.tls ? await ensureTls(kubernetes, namespace, log) : undefined;
  if (login && !options.tls) {
    log.warn(
      'Without TLS, a login travels in the clear; a Registry uses this one only with insecure: true',
    );
  }
  const objects = simpleObjects({ ...options, login: login !== false, tlsFingerprint });
  for (const object of objects) {
    // Pods wait for their Secrets; but the login names the node port, which the Service has first.
    if (object.kind === 'Deployment' && login !== false) {
      const given = typeof login === 'object' ? login : undefined;
      const { pullHost } = await simpleHosts(kubernetes, namespace);
      await ensureLogin(kubernetes, namespace, { given, pullHost, log });
    }
    await applyPart(kubernetes, object, log);
    log.info(`Applied ${object.kind} ${namespace}/${object.metadata.name}`);
  }
  if (options.wait) {
    log.info(`Waiting for Deployment ${namespace}/${names.simple}`);
    await waitForRollout(kubernetes, names.simple, namespace, { timeoutMs, signal });
  }
  return simpleHosts(kubernetes, namespace);
}

/** Applies an object; says so if images are lost by it. */
async function applyPart(
  kubernetes: KubernetesClient,
  object: KubernetesObject,
  log: Log,
): Promise<void> {
  const { Deployment } = resourceTypes;
  const { name, namespace = '' } = object.metadata;
  const before =
    object.kind === Deployment.kind
      ? await kubernetes.find<Deployment>(Deployment, name, namespace)
      : undefined;
  const { metadata } = await kubernetes.apply(object);
  // Any change of the Deployment is another Pod, and what has no volume goes with the Pod.
  if (before === undefined || before.metadata.generation === metadata.generation) return;
  const volumes = before.spec?.template?.spec?.volumes ?? [];
  if (!volumes.some(({ emptyDir }) => emptyDir !== undefined)) return;
  log.warn(
    `Deployment ${namespace}/${name} had no volume: its images go with the Pod that is replaced; to keep images from now on: --storage`,
  );
}

/**
 * By which names the simple registry of a namespace is reached.
 *
 * @throws {KubernetesError} `isNotFound` if there is none.
 */
export async function simpleHosts(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<SimpleHosts> {
  const service = await kubernetes.get<Service>(resourceTypes.Service, names.simple, namespace);
  const nodePort = service.spec?.ports?.find((each) => each.port === simplePort)?.nodePort;
  return {
    pushHost: serviceHost(names.simple, namespace, simplePort),
    pullHost: nodePort === undefined ? undefined : `localhost:${nodePort}`,
  };
}

/** How the simple registry is uninstalled. */
export interface UninstallSimpleOptions extends TeardownOptions {
  /** The volume with the images, too. */
  readonly purge?: boolean | undefined;
}

/** Removes the simple registry and its Secrets from a namespace; a volume with images only if asked. */
export async function uninstallSimple(
  kubernetes: KubernetesClient,
  options: UninstallSimpleOptions,
): Promise<void> {
  const { PersistentVolumeClaim, Secret, Service: ServiceType } = resourceTypes;
  const { namespace, purge = false, log = silent } = options;
  await deleteAll(
    kubernetes,
    [
      [resourceTypes.Deployment, names.simple],
      [ServiceType, names.simple],
      [Secret, names.simpleLogin],
      [Secret, names.simpleHtpasswd],
      [Secret, names.simpleTls],
      ...(purge ? [[PersistentVolumeClaim, names.simple] as const] : []),
    ],
    options,
  );
  if (purge) return;
  if (await kubernetes.find(PersistentVolumeClaim, names.simple, namespace)) {
    log.info(`Kept PersistentVolumeClaim ${namespace}/${names.simple}: it holds the images`);
  }
}
