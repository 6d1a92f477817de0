import { parseDurationMs } from '@reposure/core';
import { deleteRegistry } from '@reposure/core/install';
import type { Command } from 'commander';

import type { WaitFlags } from '../commands/waiting.ts';
import { withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { print } from '../output.ts';

/** `registry delete NAME` */
export async function deleteAction(name: string, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalOptions & WaitFlags>();
  const timeoutMs = parseDurationMs(flags.timeout);
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    await deleteRegistry(cluster, { name, namespace, wait: flags.wait, timeoutMs, log, signal });
    await print(format, {
      value: { name, namespace, state: 'deleted' },
      names: [`registry.reposure.puccini.cloud/${name}`],
      text: `Registry "${name}" deleted from namespace "${namespace}"`,
    });
  });
}
