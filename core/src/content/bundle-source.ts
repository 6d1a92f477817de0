import * as z from 'zod';

import { collect, streamOf } from '../bytes.ts';
import { InputError } from '../errors.ts';
import { digestOf, layerTypes, mediaTypes } from '../oci/index.ts';
import type { Descriptor, Digest } from '../oci/index.ts';
import { assembledSource, manifestOf, openerOf } from './assembled-source.ts';
import type { Opener } from './assembled-source.ts';
import type { Source } from './content.ts';
import { Count } from './count.ts';
import { packed, parsePacking } from './packing.ts';
import { tarEnd, tarHeaderOf, tarPaddingOf } from './tar-headers.ts';

/** One resource of a bundle, such as a Task. */
export const BundleResource = z.looseObject({
  apiVersion: z.string().regex(/^tekton\.dev\/v\w+$/, 'want tekton.dev/v1 or the like'),
  kind: z.string().regex(/^[A-Z][A-Za-z]*$/, 'want a kind, such as Task'),
  metadata: z.looseObject({ name: z.string().min(1) }),
});
export type BundleResource = z.infer<typeof BundleResource>;

/** Tekton's resolver refuses a bundle with more. */
const maxBundleResources = 20;

const maxResourceBytes = 4 * 1024 * 1024;

/**
 * A Tekton bundle: an image whose layers are tars of one file, a resource as JSON, named by
 * annotations. The same resources make the same digest.
 *
 * @throws {InputError} if there are none, too many, or two of one kind and name.
 * @see https://github.com/tektoncd/pipeline/blob/v1.9.0/docs/tekton-bundle-contracts.md
 */
export async function bundleSource(resources: readonly BundleResource[]): Promise<Source> {
  refuseImpossible(resources);
  const blobs = new Map<Digest, Opener>();
  const layers: Descriptor[] = [];
  const diffIds: Digest[] = [];
  for (const resource of resources) {
    const { bytes, diffId, layer } = await layerOf(resource);
    blobs.set(layer.digest, openerOf(bytes));
    layers.push(layer);
    diffIds.push(diffId);
  }
  // No time, no platform: resources run anywhere.
  const config = encoded({ architecture: '', os: '', config: {}, rootfs: rootfsOf(diffIds) });
  const configDescriptor = {
    mediaType: mediaTypes.ociConfig,
    digest: digestOf(config),
    size: config.byteLength,
  };
  const manifest = manifestOf(configDescriptor, layers);
  blobs.set(configDescriptor.digest, openerOf(config));
  blobs.set(manifest.descriptor.digest, openerOf(manifest.bytes));
  const description = `a bundle of ${resources.map(nameOf).join(', ')}`;
  return assembledSource({
    description,
    names: [],
    root: manifest.descriptor,
    blobs,
    close: async () => {},
  });
}

interface PackedResource {
  readonly bytes: Uint8Array;
  readonly diffId: Digest;
  readonly layer: Descriptor;
}

async function layerOf(resource: BundleResource): Promise<PackedResource> {
  const { kind, metadata, apiVersion } = resource;
  const content = encoded(resource);
  const header = tarHeaderOf({ type: 'File', path: metadata.name, size: content.byteLength });
  const tar = [header, content, tarPaddingOf(content.byteLength), tarEnd];
  const plain = new Count();
  const stored = packed(plain.of(streamOf(...tar)), parsePacking());
  const bytes = await collect(stored, nameOf(resource), maxResourceBytes);
  const layer = {
    mediaType: layerTypes.gzip,
    digest: digestOf(bytes),
    size: bytes.byteLength,
    annotations: {
      'dev.tekton.image.name': metadata.name,
      'dev.tekton.image.kind': kind.toLowerCase(),
      'dev.tekton.image.apiVersion': apiVersion.slice(apiVersion.indexOf('/') + 1),
    },
  };
  return { bytes, diffId: plain.digest(), layer };
}

function refuseImpossible(resources: readonly BundleResource[]): void {
  if (resources.length === 0 || resources.length > maxBundleResources) {
    throw new InputError(
      `Cannot bundle ${resources.length} resources: want 1 to ${maxBundleResources}; Tekton takes no more`,
    );
  }
  const seen = new Set<string>();
  for (const resource of resources) {
    const name = nameOf(resource);
    if (seen.has(name)) throw new InputError(`Cannot bundle ${name} twice: want each once`);
    seen.add(name);
  }
}

function nameOf({ kind, metadata }: BundleResource): string {
  return `${kind.toLowerCase()}/${metadata.name}`;
}

function rootfsOf(diffIds: readonly Digest[]): object {
  return { type: 'layers', diff_ids: diffIds };
}

function encoded(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
