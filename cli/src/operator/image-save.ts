import { version } from '@reposure/core';
import { openSink, storeImage } from '@reposure/core/content';
import { parsePlatform } from '@reposure/core/oci';
import { names } from '@reposure/core/resource';
import { isRemote, openImage } from '@reposure/core/transfer';
import type { Command } from 'commander';

import { logTo } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { remoteAccess } from '../image/remote.ts';
import { usage } from '../image/transfer.ts';
import { interruption } from '../interruption.ts';
import { parseOutputFormat, print } from '../output.ts';

interface SaveFlags extends GlobalOptions {
  readonly to: string;
  readonly platform?: string;
  readonly srcInsecure?: boolean;
  readonly srcCa?: string;
}

/** `operator image save [SOURCE] --to TARGET` */
export async function saveAction(
  from: string | undefined,
  _: unknown,
  command: Command,
): Promise<void> {
  const flags = command.optsWithGlobals<SaveFlags>();
  const format = parseOutputFormat(flags.output);
  const signal = interruption();
  const platform = usage(() => flags.platform && parsePlatform(flags.platform));
  const text = from ?? `docker://${names.image(version)}`;
  const access = await remoteAccess(
    { insecure: flags.srcInsecure, ca: flags.srcCa },
    logTo(flags.verbose ?? false),
  );
  const narrowing = platform ? { platforms: [platform] } : {};
  // First: what is wrong with it is known before a registry is asked.
  const sink = await openSink(flags.to, { stdout: process.stdout, signal });
  const source = await openImage(text, { ...narrowing, access, signal }).catch(
    async (error: unknown) => {
      await sink.abort();
      throw error;
    },
  );
  try {
    const name = nameOf(text, source.names);
    await storeImage(source, sink, { name, signal });
    const { digest } = source.root;
    if (flags.to === '-') return;
    await print(format, {
      value: { name, digest, to: flags.to },
      names: [`${name}@${digest}`],
      text: `Saved ${name} to ${flags.to}\nDigest: ${digest}`,
    });
  } finally {
    await source.close();
  }
}

/** What the image is called, so that whoever loads it calls it the same. */
function nameOf(text: string, given: readonly string[]): string {
  const [named = names.image(version)] = given;
  return isRemote(text) ? text.replace('docker://', '').replace(/@.*$/, '') : named;
}
