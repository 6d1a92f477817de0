import { once } from 'node:events';

import type { Command } from 'commander';

import { print } from '../output.ts';
import { withBridge } from './running.ts';
import type { BridgeFlags, RunningBridge } from './running.ts';

/** `bridge REGISTRY` */
export async function bridgeAction(command: Command): Promise<void> {
  const [registryName = ''] = command.args;
  const flags = command.optsWithGlobals<BridgeFlags>();
  await withBridge(flags, registryName, async (bridge, { format, log, signal }) => {
    await print(format, { value: bridge, names: [bridge.address], text: describeBridge(bridge) });
    log.info('Ctrl-C ends it');
    if (!signal.aborted) await once(signal, 'abort');
  });
}

/** Lines that can be pasted into a shell. */
function describeBridge({ env }: RunningBridge): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join('\n');
}
