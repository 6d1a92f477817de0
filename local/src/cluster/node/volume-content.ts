import type { Store } from '../api/store.ts';
import type { VolumeFile } from './atomic-folder.ts';
import { fieldOf } from './field-path.ts';
import { valuesOf } from './keyed-object.ts';
import type { KeyedReference } from './keyed-object.ts';
import type { DownwardItem, KeyToPath, Pod, Volume, VolumeProjection } from './objects.ts';
import { SetupError } from './setup-error.ts';

/** What the files of volumes are made from. */
export interface VolumeSource {
  readonly store: Store;
  readonly pod: Pod;
  readonly podIp: string;
  /** A token of the Pod's ServiceAccount. */
  token(): string;
}

type Files = Map<string, VolumeFile>;

const defaultFileMode = 0o644;

/**
 * The files of a volume that shows objects of the API.
 *
 * @returns `undefined` for a volume of another kind.
 * @throws {SetupError} if something that it shows is not there.
 */
export function filesOf(source: VolumeSource, volume: Volume): Files | undefined {
  const projections = projectionsOf(volume);
  if (!projections) return undefined;
  const { defaultMode = defaultFileMode, projected } = projections;
  const files: Files = new Map();
  for (const projection of projected) addProjection(files, source, projection, defaultMode);
  return files;
}

/** Whether a volume has files of this object. */
export function shows(volume: Volume, resource: 'secrets' | 'configmaps', name: string): boolean {
  const projected = projectionsOf(volume)?.projected ?? [];
  return projected.some(({ secret, configMap }) =>
    resource === 'secrets' ? secret?.name === name : configMap?.name === name,
  );
}

/** Every such volume is a projected one with one source. */
function projectionsOf(
  volume: Volume,
): { projected: VolumeProjection[]; defaultMode: number | undefined } | undefined {
  const { secret, configMap, downwardAPI, projected } = volume;
  if (secret) {
    const { secretName, defaultMode, ...rest } = secret;
    return { projected: [{ secret: { name: secretName, ...rest } }], defaultMode };
  }
  if (configMap) return { projected: [{ configMap }], defaultMode: configMap.defaultMode };
  if (downwardAPI) return { projected: [{ downwardAPI }], defaultMode: downwardAPI.defaultMode };
  if (!projected) return undefined;
  return { projected: projected.sources ?? [], defaultMode: projected.defaultMode };
}

function addProjection(
  files: Files,
  source: VolumeSource,
  projection: VolumeProjection,
  mode: number,
): void {
  const namespace = source.pod.metadata.namespace ?? 'default';
  const { secret, configMap, downwardAPI, serviceAccountToken } = projection;
  if (secret) addKeys(files, source, { kind: 'secret', namespace, ...secret }, mode);
  if (configMap) addKeys(files, source, { kind: 'configmap', namespace, ...configMap }, mode);
  for (const item of downwardAPI?.items ?? []) addField(files, source, item, mode);
  if (serviceAccountToken) {
    files.set(checked(serviceAccountToken.path), { bytes: Buffer.from(source.token()), mode });
  }
}

function addKeys(
  files: Files,
  { store }: VolumeSource,
  from: KeyedReference & { readonly items?: readonly KeyToPath[] },
  mode: number,
): void {
  const values = valuesOf(store, from);
  if (!values) return;
  const items = from.items ?? [...values.keys()].map((key): KeyToPath => ({ key, path: key }));
  for (const item of items) {
    const bytes = values.get(item.key);
    if (bytes) files.set(checked(item.path), { bytes, mode: item.mode ?? mode });
    else if (!from.optional) {
      throw new SetupError(`references non-existent ${from.kind} key: ${item.key}`);
    }
  }
}

function addField(
  files: Files,
  { pod, podIp }: VolumeSource,
  { path, fieldRef, mode: ownMode }: DownwardItem,
  mode: number,
): void {
  const value = fieldRef && fieldOf(pod, podIp, fieldRef.fieldPath);
  if (value === undefined) {
    throw new SetupError(
      `Cannot project ${path}: the embedded cluster has no such field; want a fieldRef of the downward API`,
    );
  }
  files.set(checked(path), { bytes: Buffer.from(value), mode: ownMode ?? mode });
}

/** The API of a real cluster refuses these paths when the Pod is created. */
function checked(path: string): string {
  if (path.startsWith('/') || path.split('/').some((part) => part === '..' || part === '')) {
    throw new SetupError(
      `Cannot write ${JSON.stringify(path)} into a volume: want a relative path without ".."`,
    );
  }
  return path;
}
