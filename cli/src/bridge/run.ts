import { once } from 'node:events';

import type { BridgeRecord } from '@reposure/core/bridge';
import type { Command } from 'commander';

import { logTo } from '../environment.ts';
import { parseOutputFormat, print } from '../output.ts';
import type { OutputFormat } from '../output.ts';
import { reportRecord, startInBackground } from './background.ts';
import { bridgeRecords } from './records.ts';
import { openToAll, withBridge } from './running.ts';
import type { BridgeFlags } from './running.ts';

interface RunFlags extends BridgeFlags {
  readonly background?: boolean;
  /** The log of a bridge in the background: this process is that one. */
  readonly logFile?: string;
}

/** `bridge [run] REGISTRY` */
export async function bridgeAction(command: Command): Promise<void> {
  const [registryName = ''] = command.args;
  const flags = command.optsWithGlobals<RunFlags>();
  if (flags.background) {
    const format = parseOutputFormat(flags.output);
    const record = await startInBackground(bridgeRecords());
    // What it says itself goes to its log.
    if (!flags.token) logTo(false).warn(openToAll);
    await show(format, record);
    return;
  }
  await run(flags, registryName);
}

async function run(flags: RunFlags, registryName: string): Promise<void> {
  const { logFile } = flags;
  const isInBackground = logFile !== undefined;
  await withBridge(flags, registryName, {
    keep: (bridge) => bridgeRecords().keep({ ...bridge, ...(logFile && { logFile }) }),
    run: async (_, { record, forgotten }, { format, log, signal }) => {
      if (isInBackground) reportRecord(record);
      else await show(format, record);
      log.info('Ctrl-C ends it');
      if (signal.aborted) return;
      await Promise.race([once(signal, 'abort'), ...(isInBackground ? [forgotten] : [])]);
    },
  });
}

/** As text: lines that can be pasted into a shell. */
async function show(format: OutputFormat, record: BridgeRecord): Promise<void> {
  const text = Object.entries(record.env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join('\n');
  await print(format, { value: record, names: [record.address], text });
}
