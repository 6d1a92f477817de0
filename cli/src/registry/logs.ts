import { names } from '@reposure/core/resource';
import type { Command } from 'commander';

import { printLogs } from '../commands/logs.ts';
import type { LogFlags } from '../commands/logs.ts';
import { getRegistry, withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';

/** `registry logs NAME` */
export async function logsAction(name: string, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalOptions & LogFlags>();
  await withCluster(flags, async (environment) => {
    await getRegistry(environment, name);
    await printLogs(environment, names.surrogatePod(name), flags);
  });
}
