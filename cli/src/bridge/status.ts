import type { Command } from 'commander';

import type { GlobalOptions } from '../environment.ts';
import { parseOutputFormat, print, table } from '../output.ts';
import { bridgeRecords } from './records.ts';

/** `bridge status` */
export async function bridgeStatusAction(command: Command): Promise<void> {
  const format = parseOutputFormat(command.optsWithGlobals<GlobalOptions>().output);
  const records = await bridgeRecords().list();
  const rows = records.map(({ address, namespace, registry, route, pid, pushed }) => [
    address,
    `${namespace}/${registry}`,
    route,
    String(pid),
    String(pushed.length),
  ]);
  const text = table(['ADDRESS', 'REGISTRY', 'ROUTE', 'PID', 'PUSHED'], rows);
  await print(format, { value: records, names: records.map(({ address }) => address), text });
}
