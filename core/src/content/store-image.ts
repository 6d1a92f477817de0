import { streamOf } from '../bytes.ts';
import { isIndexType, isManifestType, childrenOf, verified } from '../oci/index.ts';
import type { Descriptor } from '../oci/index.ts';
import type { Sink, Source } from './content.ts';
import { readDocument } from './image.ts';

/** How an image is stored. */
export interface StoreOptions {
  /** `[host/]repository[:tag]`: what it is called there. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes an image from one place of this side to another, every byte verified; nothing is visible
 * before all of it is.
 *
 * @param sink Committed on success, aborted on failure.
 */
export async function storeImage(
  source: Source,
  sink: Sink,
  { name, signal }: StoreOptions = {},
): Promise<void> {
  try {
    await storeDocument(source, sink, source.root, signal);
    await sink.commit(source.root, name);
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

async function storeDocument(
  source: Source,
  sink: Sink,
  root: Descriptor,
  signal: AbortSignal | undefined,
): Promise<void> {
  const document = await readDocument(source, root, signal);
  for (const child of childrenOf(document)) {
    if (isIndexType(child.mediaType) || isManifestType(child.mediaType)) {
      await storeDocument(source, sink, child, signal);
    } else if (!(await sink.has(child))) {
      await sink.write(child, verified(source.read(child, { signal }), child));
    }
  }
  await sink.write(root, streamOf(document.bytes));
}
