import { InputError } from '../errors.ts';
import { KubernetesError, resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject, ResourceType } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { names } from '../resource/index.ts';
import { isOurs } from './owned-secret.ts';
import { waitForRollout } from './rollout.ts';
import { ensureConfig } from './simple-config.ts';
import { findSimple, storageKindOf } from './simple-deployment.ts';
import type { StorageKind } from './simple-deployment.ts';
import { refuseWhileCollecting } from './simple-gc-job.ts';
import { simpleHosts } from './simple-hosts.ts';
import type { SimpleHosts } from './simple-hosts.ts';
import type { Login } from './simple-login.ts';
import { simpleObjects } from './simple-objects.ts';
import type { SimpleObjectsOptions } from './simple-objects.ts';
import { checkStorage, temporaryStorage } from './simple-storage.ts';
import { ensureTls } from './simple-tls.ts';
import type { ReadyTls, SimpleTls } from './simple-tls.ts';
import { ensureLogin } from './simple-users.ts';

/** How the simple registry is installed. */
export interface InstallSimpleOptions extends Omit<
  SimpleObjectsOptions,
  'login' | 'tls' | 'configFingerprint'
> {
  /** Serve HTTPS; without it, plain HTTP. */
  readonly tls?: SimpleTls | undefined;
  /** `true` for a random password, kept when it is installed again. */
  readonly login?: boolean | Login | undefined;
  /** Return only when it works. */
  readonly wait?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Installs the simple registry in a namespace, or brings the one that is there to what is asked for.
 *
 * @throws {InputError} if what is asked for cannot be, before anything is changed.
 * @throws {KubernetesError} if the API refuses.
 * @throws {TimeoutError} if `wait`, and it does not work in time.
 */
export async function installSimple(
  kubernetes: KubernetesClient,
  options: InstallSimpleOptions,
): Promise<SimpleHosts> {
  const { namespace, login = false, log = silent, timeoutMs = 120_000, signal } = options;
  const { storage = temporaryStorage } = options;
  await check(kubernetes, options);
  const configFingerprint = await ensureConfig(kubernetes, namespace, { storage, log });
  const tls = await readyTls(kubernetes, options);
  const objects = simpleObjects({ ...options, tls, login: login !== false, configFingerprint });
  for (const object of objects) {
    // Pods wait for their Secrets; but the login names the node port, which the Service has first.
    if (object.kind === 'Deployment' && login !== false) await applyLogin(kubernetes, options);
    await applyPart(kubernetes, object, log);
    log.info(`Applied ${object.kind} ${namespace}/${object.metadata.name}`);
  }
  await removeUnasked(kubernetes, namespace, { objects, log });
  if (options.wait) {
    log.info(`Waiting for Deployment ${namespace}/${names.simple}`);
    await waitForRollout(kubernetes, names.simple, namespace, { timeoutMs, signal });
  }
  return simpleHosts(kubernetes, namespace);
}

async function check(kubernetes: KubernetesClient, options: InstallSimpleOptions): Promise<void> {
  const { namespace, storage = temporaryStorage, replicas = 1, log = silent } = options;
  if (replicas > 1 && storage.kind !== 's3') {
    throw new InputError(
      `Cannot run ${replicas} Pods of the simple registry: they would not have the same images; want a bucket for that: --s3-bucket`,
    );
  }
  await checkStorage(kubernetes, storage, namespace);
  await refuseWhileCollecting(kubernetes, namespace);
  for (const doubt of doubtsOf(options)) log.warn(doubt);
}

/** What can be done, and may not be what was meant. */
function doubtsOf(options: InstallSimpleOptions): string[] {
  const { login = false, tls, ingress, networkPolicy, nodePort = false, storage } = options;
  const isOthers = tls !== undefined && tls.from !== 'own-ca';
  const isTemporary = (storage ?? temporaryStorage).kind === 'temporary';
  const doubts: [boolean, string][] = [
    [
      login !== false && !tls,
      'Without TLS, a login travels in the clear; a Registry uses this one only with insecure: true',
    ],
    [
      login !== false && ingress !== undefined && ingress.tlsSecret === undefined,
      'Unless the controller of the Ingress has a certificate, logins travel to it in the clear; --ingress-tls-secret names one',
    ],
    [
      networkPolicy !== undefined && nodePort !== false,
      'With a node port, the NetworkPolicy lets everybody connect: what comes in by a node cannot be told from a Pod',
    ],
    [
      isOthers && isTemporary,
      'Another certificate is another Pod, and without --storage images go with it: whenever the certificate is renewed',
    ],
  ];
  return doubts.flatMap(([isDoubtful, doubt]) => (isDoubtful ? [doubt] : []));
}

async function readyTls(
  kubernetes: KubernetesClient,
  {
    namespace,
    tls,
    storage = temporaryStorage,
    timeoutMs = 120_000,
    ...rest
  }: InstallSimpleOptions,
): Promise<ReadyTls | undefined> {
  if (tls === undefined) return undefined;
  const { log = silent, signal } = rest;
  return ensureTls(kubernetes, namespace, { tls, storage: storage.kind, timeoutMs, log, signal });
}

async function applyLogin(
  kubernetes: KubernetesClient,
  { namespace, login, ingress, log = silent }: InstallSimpleOptions,
): Promise<void> {
  const { pushHost, pullHost } = await simpleHosts(kubernetes, namespace);
  const hosts = [pushHost, pullHost, ingress?.host].filter((host) => host !== undefined);
  const given = typeof login === 'object' ? login : undefined;
  await ensureLogin(kubernetes, namespace, { given, hosts, log });
}

/** Applies an object; says so if images are lost by it. */
async function applyPart(
  kubernetes: KubernetesClient,
  object: KubernetesObject,
  log: Log,
): Promise<void> {
  const { namespace = '' } = object.metadata;
  const before = object.kind === 'Deployment' ? await findSimple(kubernetes, namespace) : undefined;
  const after = await kubernetes.apply(object);
  // Any change of the Deployment is another Pod, and what has no volume goes with the Pod.
  if (before === undefined || before.metadata.generation === after.metadata.generation) return;
  const [was, is] = [storageKindOf(before), storageKindOf(after)];
  if (was === 'temporary') {
    log.warn(
      `Deployment ${namespace}/${names.simple} had no volume: its images go with the Pod that is replaced; to keep images from now on: --storage`,
    );
  } else if (was !== is) log.warn(describeMove(was, namespace));
}

function describeMove(was: StorageKind, namespace: string): string {
  const place =
    was === 'volume' ? `on PersistentVolumeClaim ${namespace}/${names.simple}` : 'in the bucket';
  return `The images stay ${place}, and the registry no longer looks there; to have them back, install it as before`;
}

/** What was asked for once and is no longer: a way in that nobody wants any more must not stay. */
const optional: readonly ResourceType[] = [
  resourceTypes.Ingress,
  resourceTypes.NetworkPolicy,
  resourceTypes.PodDisruptionBudget,
];

async function removeUnasked(
  kubernetes: KubernetesClient,
  namespace: string,
  { objects, log }: { readonly objects: readonly KubernetesObject[]; readonly log: Log },
): Promise<void> {
  const asked = new Set(objects.map(({ kind }) => kind));
  for (const type of optional.filter(({ kind }) => !asked.has(kind))) {
    try {
      const found = await kubernetes.find(type, names.simple, namespace);
      if (found === undefined || !isOurs(found)) continue;
      await kubernetes.delete(type, names.simple, namespace);
      log.info(`Deleted ${type.kind} ${namespace}/${names.simple}: it is not asked for`);
    } catch (error) {
      // Who may not make one has none.
      if (!(error instanceof KubernetesError) || !error.isForbidden) throw error;
    }
  }
}
