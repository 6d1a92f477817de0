import { isDeepStrictEqual } from 'node:util';

import { InputError } from '../errors.ts';
import { resourceTypes } from '../kubernetes/index.ts';
import type { ApiObject, KubernetesClient } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import type { Secret } from '../providers/index.ts';
import { names } from '../resource/index.ts';
import { labelsOf } from './labels.ts';

/** The keys of a Secret, decoded. */
export type SecretTexts = Readonly<Record<string, string | undefined>>;

/** One Secret of the simple registry, as it should be. */
export interface WantedSecret {
  readonly name: string;
  readonly namespace: string;
  readonly type?: string;
  readonly texts: Readonly<Record<string, string>>;
}

/** Whether we made an object: what somebody else made is theirs to change. */
export function isOurs({ metadata }: ApiObject): boolean {
  return metadata.labels?.['app.kubernetes.io/managed-by'] === 'reposure';
}

/** The Secret of that name, if there is one. */
export async function findSecret(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
): Promise<Secret | undefined> {
  return kubernetes.find<Secret>(resourceTypes.Secret, name, namespace);
}

/** What is in a Secret; nothing if there is none. */
export function secretTextsOf(secret: Secret | undefined): SecretTexts {
  const data = Object.entries(secret?.data ?? {});
  return Object.fromEntries<string>(
    data.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
}

/**
 * Makes a Secret what it should be.
 *
 * @param before As it was read: if somebody has changed it since, nothing is written.
 * @throws {InputError} if it is somebody else's.
 * @throws {KubernetesError} a conflict, if it has changed since.
 */
export async function putSecret(
  kubernetes: KubernetesClient,
  before: Secret | undefined,
  wanted: WantedSecret,
  log: Log,
): Promise<void> {
  const { name, namespace, type = 'Opaque', texts } = wanted;
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  if (before !== undefined) refuseOthers(before);
  if (before?.type === type && isDeepStrictEqual(before.data, data)) return;
  // A type cannot be changed; and what another version made may be of another.
  if (before !== undefined && before.type === type) await kubernetes.replace({ ...before, data });
  else {
    if (before) await kubernetes.delete(resourceTypes.Secret, name, namespace);
    const labels = labelsOf(names.simple, 'registry');
    const metadata = { name, namespace, labels };
    await kubernetes.create<Secret>({ apiVersion: 'v1', kind: 'Secret', metadata, type, data });
  }
  log.info(`Applied Secret ${namespace}/${name}`);
}

function refuseOthers(secret: Secret): void {
  if (isOurs(secret)) return;
  const { name, namespace = '' } = secret.metadata;
  throw new InputError(
    `Cannot write Secret ${namespace}/${name}: somebody else made it (it lacks the label app.kubernetes.io/managed-by=reposure); want it renamed or removed`,
  );
}
