import { InputError } from '../errors.ts';
import { KubernetesError, resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';

/** Where the simple registry keeps images. */
export type SimpleStorage =
  /** With the Pod, and gone with it. More than `sizeLimit` and the kubelet ends the Pod. */
  | { readonly kind: 'temporary'; readonly sizeLimit?: string | undefined }
  /** On a volume that outlives the Pod. */
  | { readonly kind: 'volume'; readonly size: string; readonly storageClass?: string | undefined }
  | S3Storage;

/** In a bucket, which is there already. */
export interface S3Storage {
  readonly kind: 's3';
  readonly bucket: string;
  /** Of AWS by default. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** The name of a Secret with the login. */
  readonly secret: string;
  /** Of every key in the bucket. */
  readonly prefix?: string | undefined;
}

/** So that images do not fill the disk of a node, which other Pods need. */
export const defaultSizeLimit = '10Gi';

/** What the simple registry does when nobody says where images are to be. */
export const temporaryStorage: SimpleStorage = { kind: 'temporary' };

/**
 * Checks what can be checked before anything is made.
 *
 * @throws {InputError} that says which setting is wrong.
 */
export async function checkStorage(
  kubernetes: KubernetesClient,
  storage: SimpleStorage,
  namespace: string,
): Promise<void> {
  switch (storage.kind) {
    case 'temporary':
      return requireSize(storage.sizeLimit ?? defaultSizeLimit);
    case 's3':
      return checkS3(storage);
    case 'volume':
      requireSize(storage.size);
      if (storage.storageClass) await requireClass(kubernetes, storage.storageClass);
      return checkClaim(kubernetes, storage, namespace);
  }
}

function requireSize(text: string): void {
  if (/^[1-9]\d*(\.\d+)?([EPTGMk]|[EPTGMK]i)?$/.test(text)) return;
  throw new InputError(`Cannot use a size of "${text}": want e.g. 10Gi`);
}

function checkS3({ bucket, endpoint }: S3Storage): void {
  if (!/^[a-zA-Z0-9][\w.-]{1,253}$/.test(bucket)) {
    throw new InputError(`Cannot use S3 bucket "${bucket}": want the name of a bucket`);
  }
  if (endpoint === undefined) return;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isPlain = url?.username === '' && url.search === '' && /^https?:$/.test(url.protocol);
  if (isPlain) return;
  // Not repeated: a login may be in it.
  throw new InputError('Cannot use the S3 endpoint: want https://HOST[:PORT], without a login');
}

async function requireClass(kubernetes: KubernetesClient, name: string): Promise<void> {
  const { StorageClass } = resourceTypes;
  try {
    if (await kubernetes.find(StorageClass, name)) return;
    const { items } = await kubernetes.list(StorageClass);
    const there = items.map(({ metadata }) => metadata.name).join(', ') || 'none';
    throw new InputError(`Cannot use storage class "${name}": there is ${there}`);
  } catch (error) {
    // Who may not look at classes may still use one.
    if (!(error instanceof KubernetesError) || !error.isForbidden) throw error;
  }
}

interface Claim extends KubernetesObject {
  spec?: { storageClassName?: string };
}

/** The API refuses it with a page; a class is chosen once. */
async function checkClaim(
  kubernetes: KubernetesClient,
  { storageClass }: { readonly storageClass?: string | undefined },
  namespace: string,
): Promise<void> {
  const type = resourceTypes.PersistentVolumeClaim;
  const claim = await kubernetes.find<Claim>(type, names.simple, namespace);
  const has = claim?.spec?.storageClassName;
  if (storageClass === undefined || has === undefined || has === storageClass) return;
  throw new InputError(
    `Cannot change the storage class of PersistentVolumeClaim ${namespace}/${names.simple}: it is "${has}"; want that one, or: reposure simple uninstall --purge, which removes the images`,
  );
}
