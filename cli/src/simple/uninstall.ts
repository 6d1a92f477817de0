import { parseDurationMs } from '@reposure/core';
import { uninstallSimple } from '@reposure/core/install';
import { names } from '@reposure/core/resource';
import type { Command } from 'commander';

import type { WaitFlags } from '../commands/waiting.ts';
import { withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { print } from '../output.ts';

/** `simple uninstall` */
export async function uninstallAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalOptions & WaitFlags & { readonly purge?: boolean }>();
  const timeoutMs = parseDurationMs(flags.timeout);
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    const { wait, purge } = flags;
    await uninstallSimple(cluster, { namespace, wait, purge, timeoutMs, log, signal });
    await print(format, {
      value: { namespace, deployment: names.simple, state: 'removed' },
      names: [`deployment.apps/${names.simple}`],
      text: `Simple registry removed from namespace "${namespace}"`,
    });
  });
}
