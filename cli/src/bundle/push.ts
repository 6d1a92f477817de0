import { bundleSource } from '@reposure/core/content';
import { requireRepository } from '@reposure/core/resource';
import { imageResultsOf, parseDestination, push } from '@reposure/core/transfer';
import type { Command } from 'commander';

import { withRoute } from '../environment.ts';
import type { RouteOptions } from '../environment.ts';
import { describeTransfer, namesOf, parsePatience, usage } from '../image/transfer.ts';
import type { TransferFlags } from '../image/transfer.ts';
import { print } from '../output.ts';
import { progressView } from '../progress-view.ts';
import { writeResults } from '../results.ts';
import type { ResultFiles } from '../results.ts';
import { readResources } from './resources.ts';

interface BundleFlags extends RouteOptions, TransferFlags {
  readonly result?: ResultFiles;
}

/** `bundle push REGISTRY IMAGE FILE…` */
export async function pushAction(command: Command): Promise<void> {
  const [registryName = '', image = '', ...files] = command.args;
  const flags = command.optsWithGlobals<BundleFlags>();
  const destination = usage(() => parseDestination(image));
  const stallTimeoutMs = parsePatience(flags.stallTimeout);
  const source = await bundleSource(await readResources(files));
  await withRoute(flags, registryName, async ({ route, registry, format, log, signal }) => {
    requireRepository(registry, destination.repository, 'write');
    const { pushHost, pullHost } = registry.status ?? {};
    const view = progressView(process.stderr);
    try {
      view.note(`Pushing ${source.description} by ${route.via}: ${route.reason}`);
      const result = await push(route, source, destination, {
        ...flags,
        pushHost,
        pullHost,
        stallTimeoutMs,
        signal,
        log,
        onProgress: view.onProgress,
      });
      view.close();
      writeResults(flags.result, imageResultsOf(result, { pushHost, pullHost }));
      const text = describeTransfer(result, 'Pushed');
      await print(format, { value: result, names: namesOf(result), text });
    } finally {
      view.close();
    }
  });
}
