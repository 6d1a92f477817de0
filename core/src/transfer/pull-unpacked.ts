import {
  assertUnpackable,
  openSink,
  openSource,
  TemporaryFolder,
  unpack,
} from '../content/index.ts';
import type { Target } from '../oci/index.ts';
import type { Route } from '../surrogate/index.ts';
import { pull } from './pull.ts';
import type { PullOptions } from './pull.ts';
import type { TransferResult } from './result.ts';

/** What pulling and unpacking takes besides. */
export interface PullUnpackedOptions extends PullOptions {
  /** An existing folder for the image until it is unpacked; the system's own by default. */
  readonly temporaryDirectory?: string | undefined;
}

/**
 * Brings an image here and unpacks it: all layers in order, whiteouts applied, everything verified.
 *
 * @param directory New or empty; nothing stays in it if anything fails.
 * @throws as {@link pull}, and as `unpack`
 */
export async function pullUnpacked(
  route: Route,
  target: Target,
  directory: string,
  options: PullUnpackedOptions = {},
): Promise<TransferResult> {
  const { signal, log } = options;
  // Before anything travels.
  await assertUnpackable(directory);
  const temporary = new TemporaryFolder(options.temporaryDirectory);
  try {
    const layout = `oci:${await temporary.next()}`;
    const result = await pull(route, target, await openSink(layout, { signal }), options);
    const source = await openSource(layout, { signal, ...(log ? { log } : {}) });
    try {
      await unpack(source, directory, { signal, ...(log ? { log } : {}) });
    } finally {
      await source.close();
    }
    return result;
  } finally {
    await temporary.remove();
  }
}
