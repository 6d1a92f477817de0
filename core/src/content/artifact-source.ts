import { basename, resolve } from 'node:path';

import type { Log } from '../log.ts';
import { annotationKeys, digestOf, hostPlatform, layerTypes, mediaTypes } from '../oci/index.ts';
import type { Platform } from '../oci/index.ts';
import { tarOf } from './artifact-tar.ts';
import { assembledSource, manifestOf, openerOf } from './assembled-source.ts';
import type { Source } from './content.ts';
import { Count } from './count.ts';
import { readFileFrom } from './file-bytes.ts';
import { packed } from './packing.ts';
import type { Packing } from './packing.ts';
import type { TemporaryFolder } from './temporary.ts';

/** What making an image of files takes. */
export interface ArtifactOptions {
  readonly temporary: TemporaryFolder;
  readonly packing: Packing;
  readonly log: Log;
  /** What the image says it runs on; this machine's by default. */
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a real image of any file or folder: one tar layer that a runtime can unpack and a Pod can
 * mount, with the name as title.
 *
 * @throws {NotFoundError} if there is nothing at `path`.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
 */
export async function artifactSource(path: string, options: ArtifactOptions): Promise<Source> {
  const { temporary, packing, signal, platform = hostPlatform() } = options;
  const title = basename(resolve(path));
  const content = new Count();
  const stored = new Count();
  const want = 'one of them, or write - for an archive on standard input';
  const tar = await tarOf(path, title, options, want);
  const spooled = await temporary.spool(stored.of(packed(content.of(tar), packing)), signal);
  const type = layerTypes[packing.compression];
  const layer = { ...stored.descriptor(type), annotations: titled(title) };
  const config = configOf(platform, content.digest());
  const configDescriptor = {
    mediaType: mediaTypes.ociConfig,
    digest: digestOf(config),
    size: config.byteLength,
  };
  const manifest = manifestOf(configDescriptor, [layer], titled(title));
  return assembledSource({
    description: `file:${path}`,
    names: [],
    root: manifest.descriptor,
    blobs: new Map([
      [layer.digest, ({ offset, signal: stop }) => readFileFrom(spooled, offset, stop)],
      [configDescriptor.digest, openerOf(config)],
      [manifest.descriptor.digest, openerOf(manifest.bytes)],
    ]),
    close: async () => {},
  });
}

function configOf({ os, architecture, variant }: Platform, diffId: string): Uint8Array {
  const config = {
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: {},
    // No time: equal content has an equal digest.
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
  return new TextEncoder().encode(JSON.stringify(config));
}

function titled(title: string): Record<string, string> {
  return { [annotationKeys.title]: title };
}
