import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import {
  assertUnpackable,
  openSink,
  openSource,
  singleFileOf,
  TemporaryFolder,
  unpack,
} from '../content/index.ts';
import type { Source } from '../content/index.ts';
import { InputError } from '../errors.ts';
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
  return await pulling(route, target, options, (source) =>
    unpack(source, directory, { signal, ...(log ? { log } : {}) }),
  );
}

/**
 * Brings an image of one file here, and writes that file as it is.
 *
 * @param output Asked for when the file is about to be written; stays open.
 * @throws {InputError} if the image is not a single file; and as {@link pull}
 */
export async function pullFile(
  route: Route,
  target: Target,
  output: () => Writable,
  options: PullUnpackedOptions = {},
): Promise<TransferResult> {
  const { signal } = options;
  return await pulling(route, target, options, async (source) => {
    const file = await singleFileOf(source, { signal });
    if (!file) {
      throw new InputError(
        'Cannot unpack to standard output: the image is not a single file; want --to DIR',
      );
    }
    await pipeline(file.content(), output(), { end: false, ...(signal ? { signal } : {}) });
  });
}

/** Pulls to a temporary layout, for as long as it is used. */
async function pulling(
  route: Route,
  target: Target,
  options: PullUnpackedOptions,
  use: (source: Source) => Promise<unknown>,
): Promise<TransferResult> {
  const { signal, log } = options;
  const temporary = new TemporaryFolder(options.temporaryDirectory);
  try {
    const layout = `oci:${await temporary.next()}`;
    const result = await pull(route, target, await openSink(layout, { signal }), options);
    const source = await openSource(layout, { signal, ...(log ? { log } : {}) });
    try {
      await use(source);
    } finally {
      await source.close();
    }
    return result;
  } finally {
    await temporary.remove();
  }
}
