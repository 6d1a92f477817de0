import { parseDurationMs } from '@reposure/core';
import { collectGarbage } from '@reposure/core/install';
import { names } from '@reposure/core/resource';
import type { Command } from 'commander';

import { withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { print } from '../output.ts';

interface GcFlags extends GlobalOptions {
  readonly deleteUntagged?: boolean;
  readonly dryRun?: boolean;
  readonly timeout: string;
}

/** `simple gc` */
export async function gcAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GcFlags>();
  const { deleteUntagged = false, dryRun = false } = flags;
  const timeoutMs = parseDurationMs(flags.timeout);
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    const options = { namespace, deleteUntagged, dryRun, timeoutMs, log, signal };
    const { blobs, manifests } = await collectGarbage(cluster, options);
    await print(format, {
      value: { blobs, manifests, dryRun },
      names: [`deployment.apps/${names.simple}`],
      text: `${dryRun ? 'Would delete' : 'Deleted'} ${blobs} blobs and ${manifests} manifests`,
    });
  });
}
