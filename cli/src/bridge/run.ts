import { once } from 'node:events';

import type { BridgeRecord, KeptRecord } from '@reposure/core/bridge';
import type { Command } from 'commander';

import { parseOutputFormat, print } from '../output.ts';
import type { OutputFormat } from '../output.ts';
import { reportRecord, startInBackground } from './background.ts';
import { bridgeRecords } from './records.ts';
import { withBridge } from './running.ts';
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
    await show(format, await startInBackground(bridgeRecords()));
    return;
  }
  await run(flags, registryName);
}

async function run(flags: RunFlags, registryName: string): Promise<void> {
  let kept: KeptRecord | undefined;
  await withBridge(flags, registryName, {
    onPush: (reference) => void kept?.notePush(reference),
    run: async (bridge, { format, log, signal }) => {
      const { logFile } = flags;
      kept = await bridgeRecords().keep({ ...bridge, ...(logFile && { logFile }) });
      try {
        if (logFile) reportRecord(kept.record);
        else await show(format, kept.record);
        log.info('Ctrl-C ends it');
        if (signal.aborted) return;
        const ends = [once(signal, 'abort'), ...(logFile ? [kept.forgotten] : [])];
        await Promise.race(ends);
      } finally {
        await kept.remove();
      }
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
