import * as z from 'zod';

import { collect } from '../bytes.ts';
import type { UnpackedLayer } from '../content/diff-id.ts';
import { isDigest } from '../oci/index.ts';
import type { Descriptor } from '../oci/index.ts';
import type { Transport } from '../registry/transport.ts';
import { diffIdPath } from './diff-id-service.ts';
import { FarError } from './far-error.ts';

const maxAnswerBytes = 64 * 1024;
const Answer = z.object({
  digest: z.string(),
  diffId: z.string().refine(isDigest),
  size: z.int().min(0),
  compression: z.enum(['none', 'gzip', 'zstd']),
});

/**
 * Asks the surrogate what a layer in its registry is once it is unpacked; it reads the layer there,
 * which takes its time.
 *
 * @param repository Where the layer is.
 * @returns `undefined` where nobody can tell: the layer is not there or cannot be unpacked, or the
 *   far side is a registry and no surrogate.
 * @throws what `request` throws if there is no answer.
 */
export async function askDiffId(
  request: Transport,
  repository: string,
  layer: Pick<Descriptor, 'digest'>,
  signal?: AbortSignal,
): Promise<UnpackedLayer | undefined> {
  const path = diffIdPath(repository, layer.digest);
  try {
    const answer = await request({ method: 'GET', path, signal });
    if (answer.status === 200)
      return layerIn(await collect(answer.body, path, maxAnswerBytes), layer);
    // A registry that knows nothing of it says 404 or 405, or whatever it says to what is no API.
    await answer.discard();
    return undefined;
  } catch (error) {
    if (error instanceof FarError && !error.isTransient) return undefined;
    throw error;
  }
}

function layerIn(bytes: Buffer, { digest }: Pick<Descriptor, 'digest'>): UnpackedLayer | undefined {
  const { data } = Answer.safeParse(jsonOf(bytes.toString()));
  // A page for people answers 200 to anything.
  if (data?.digest !== digest) return undefined;
  const { diffId, size, compression } = data;
  return { diffId, size, compression };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
