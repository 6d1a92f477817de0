import { openSource } from '@reposure/core/content';
import { parsePlatform } from '@reposure/core/oci';
import { parseDestination, push } from '@reposure/core/transfer';
import type { TransferResult } from '@reposure/core/transfer';
import type { Command } from 'commander';

import { withRoute } from '../environment.ts';
import type { RouteOptions } from '../environment.ts';
import { print } from '../output.ts';
import { progressView } from '../progress-view.ts';
import { describeTransfer, namesOf, parseDeadline, usage } from './transfer.ts';
import type { TransferFlags } from './transfer.ts';

interface PushFlags extends RouteOptions, TransferFlags {
  readonly tag?: readonly string[];
  readonly platform?: readonly string[];
  readonly fromName?: string;
  readonly dryRun?: boolean;
}

/** `image push REGISTRY IMAGE SOURCE` */
export async function pushAction(command: Command): Promise<void> {
  const [registryName = '', image = '', from = ''] = command.args;
  const flags = command.optsWithGlobals<PushFlags>();
  // What can be wrong on this side is found before the cluster is asked.
  const destination = usage(() => parseDestination(image, flags.tag));
  const deadline = parseDeadline(flags.timeout);
  const platforms = usage(() => flags.platform?.map((text) => parsePlatform(text)));
  await withRoute(
    flags,
    registryName,
    async ({ route, registry, format, log, signal: interrupted }) => {
      const signal = deadline(interrupted);
      const source = await openSource(from, {
        stdin: process.stdin,
        signal,
        log,
        ...(platforms ? { platforms } : {}),
        ...(flags.fromName ? { name: flags.fromName } : {}),
      });
      const view = progressView(process.stderr);
      try {
        const { pushHost, pullHost } = registry.status ?? {};
        view.note(`Pushing ${source.description} by ${route.via}: ${route.reason}`);
        const result = await push(route, source, destination, {
          pushHost,
          pullHost,
          signal,
          log,
          retries: flags.retries,
          concurrency: flags.concurrency,
          onProgress: view.onProgress,
          dryRun: flags.dryRun ?? false,
        });
        view.close();
        await print(format, { value: result, names: namesOf(result), text: describePush(result) });
      } finally {
        view.close();
        await source.close();
      }
    },
  );
}

function describePush(result: TransferResult): string {
  const done = result.dryRun ? 'Would push' : 'Pushed';
  return describeTransfer(result, done);
}
