import { resolve } from 'node:path';

import { InputError, NotFoundError } from '@reposure/core';
import type { BridgeRecord } from '@reposure/core/bridge';
import type { Command } from 'commander';

import type { GlobalOptions } from '../environment.ts';
import { interruption } from '../interruption.ts';
import { parseOutputFormat, print } from '../output.ts';
import { bridgeRecords } from './records.ts';

interface StopFlags extends GlobalOptions {
  readonly configDir?: string;
  readonly all?: boolean;
}

/** `bridge stop [REGISTRY]` */
export async function bridgeStopAction(command: Command): Promise<void> {
  const [registryName] = command.args;
  const flags = command.optsWithGlobals<StopFlags>();
  const format = parseOutputFormat(flags.output);
  const signal = interruption();
  const records = bridgeRecords();
  const wanted = wantedOf(await records.list(), registryName, flags);
  const stopped = await Promise.all(wanted.map((record) => records.stop(record, signal)));
  const lines = stopped.flatMap(({ address, namespace, registry, pushed }) => [
    `Stopped ${address}, ${namespace}/${registry}`,
    ...pushed.map((reference) => `Pushed ${reference}`),
  ]);
  const names = stopped.map(({ address }) => address);
  await print(format, { value: stopped, names, text: lines.join('\n') });
}

/** @throws {InputError} if it is not clear which one. */
function wantedOf(
  running: readonly BridgeRecord[],
  registryName: string | undefined,
  { namespace, configDir, all }: StopFlags,
): readonly BridgeRecord[] {
  const place = configDir === undefined ? undefined : resolve(configDir);
  const found = running.filter(
    (record) =>
      (registryName === undefined || record.registry === registryName) &&
      (namespace === undefined || record.namespace === namespace) &&
      (place === undefined || record.configDir === place),
  );
  if (all || found.length === 1) return found;
  if (found.length > 1) {
    const those = found.map(describe).join(', ');
    throw new InputError(
      `Cannot tell which bridge to stop: there are ${those}; want a REGISTRY with its --namespace, --config-dir or --all`,
    );
  }
  throw new NotFoundError(
    'Cannot stop a bridge: there is none; `reposure bridge status` shows those that run',
  );
}

function describe({ address, namespace, registry, cluster }: BridgeRecord): string {
  return `${address} (${namespace}/${registry} at ${cluster})`;
}
