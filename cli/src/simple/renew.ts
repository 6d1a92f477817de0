import { parseDurationMs } from '@reposure/core';
import { renewOnRequest } from '@reposure/core/install';
import { names } from '@reposure/core/resource';
import type { Command } from 'commander';

import type { WaitFlags } from '../commands/waiting.ts';
import { withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { print } from '../output.ts';

interface RenewFlags extends GlobalOptions, WaitFlags {
  readonly ca?: boolean;
  readonly settle: string;
}

/** `simple renew` */
export async function renewAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<RenewFlags>();
  const options = {
    wish: flags.ca ? 'authority' : 'certificate',
    settleMs: parseDurationMs(flags.settle),
    timeoutMs: parseDurationMs(flags.timeout),
    wait: flags.wait,
  } as const;
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    const renewal = await renewOnRequest(cluster, { namespace, ...options, log, signal });
    const what = flags.ca ? 'CA' : 'certificate';
    await print(format, {
      value: { namespace, ...renewal },
      names: [`deployment.apps/${names.simple}`],
      text: flags.wait
        ? `The simple registry has another ${what}`
        : `The simple registry gets another ${what}; \`reposure simple status\` says how far it is`,
    });
  });
}
