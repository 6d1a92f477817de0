import * as z from 'zod';

import { ImageConfig } from '../../oci/index.ts';
import type { Digest, Platform } from '../../oci/index.ts';

/** How containers of an image start. */
export interface ImageSettings {
  /** `uid:gid`, in numbers, so that a kubelet can tell that it is not root. */
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A layer that is new, as the config tells of it. */
interface LayerRecord {
  readonly diffId: Digest;
  readonly createdBy: string;
}

/** As much of a base image's config as a new one takes over. */
const BaseConfig = z.looseObject({
  ...ImageConfig.shape,
  config: z
    .looseObject({
      Env: z.array(z.string()).nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
  history: z.array(z.unknown()).nullish(),
});

/** What a config is made of. */
export interface ConfigParts {
  readonly platform: Platform;
  /** The config of the image below. */
  readonly base?: ImageConfig | undefined;
  readonly settings: ImageSettings;
  readonly layers: readonly LayerRecord[];
  /** RFC 3339. */
  readonly created: string;
}

/**
 * The config of an image: the base's, with what is asked for on top.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
export function configBytes({
  platform,
  base,
  settings,
  layers,
  created,
}: ConfigParts): Uint8Array {
  const below = BaseConfig.parse(base ?? { ...platform, rootfs: { type: 'layers', diff_ids: [] } });
  const { user, entrypoint, env, labels } = settings;
  const config = {
    ...below,
    created,
    config: {
      ...below.config,
      User: user,
      Env: mergedEnv(below.config?.Env ?? [], env),
      Entrypoint: entrypoint,
      // It belonged to the base's entrypoint.
      Cmd: undefined,
      Labels: { ...below.config?.Labels, ...labels },
    },
    rootfs: {
      ...below.rootfs,
      diff_ids: [...below.rootfs.diff_ids, ...layers.map(({ diffId }) => diffId)],
    },
    history: historyOf(below, layers, created),
  };
  return new TextEncoder().encode(JSON.stringify(config));
}

function mergedEnv(
  below: readonly string[],
  env: Readonly<Record<string, string>>,
): readonly string[] {
  const others = below.filter((line) => !Object.hasOwn(env, line.replace(/=.*$/s, '')));
  return [...others, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
}

/** One entry for each layer, or none at all: tools count them. */
function historyOf(
  { history, rootfs }: z.infer<typeof BaseConfig>,
  layers: readonly LayerRecord[],
  created: string,
): readonly unknown[] | undefined {
  if (!history?.length && rootfs.diff_ids.length > 0) return undefined;
  return [
    ...(history ?? []),
    ...layers.map(({ createdBy }) => ({ created, created_by: createdBy })),
  ];
}
