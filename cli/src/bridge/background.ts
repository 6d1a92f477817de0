import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { open, readFile, rm } from 'node:fs/promises';

import { BridgeRecord } from '@reposure/core/bridge';
import type { BridgeRecords } from '@reposure/core/bridge';

import { ExitStatusError } from '../exit-status.ts';
import { interruption } from '../interruption.ts';

/**
 * Starts the same command once more, in a process of its own that goes on after this one, and waits
 * until it answers.
 *
 * @throws {ExitStatusError} if it ends instead; what it has said is on standard error then.
 */
export async function startInBackground(records: BridgeRecords): Promise<BridgeRecord> {
  const signal = interruption();
  const logFile = await records.newLogFile(randomUUID());
  const child = await spawnSelf(logFile);
  const onAbort = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const outcome = await outcomeOf(child);
    if (typeof outcome === 'object') {
      child.unref();
      return outcome;
    }
    process.stderr.write(await readFile(logFile));
    await rm(logFile, { force: true });
    throw new ExitStatusError(outcome);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Tells whoever has started this process in the background that its bridge answers. */
export function reportRecord(record: BridgeRecord): void {
  // It may have gone; the bridge is there all the same.
  process.send?.(record, undefined, undefined, () => process.disconnect());
}

async function spawnSelf(logFile: string): Promise<ChildProcess> {
  const [script = '', ...words] = process.argv.slice(1);
  const log = await open(logFile, 'a');
  try {
    const own = words.filter((word) => word !== '--background');
    return spawn(process.execPath, [...process.execArgv, script, ...own, `--log-file=${logFile}`], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
  } finally {
    await log.close();
  }
}

/** What it reports, or the status with which it ends. */
function outcomeOf(child: ChildProcess): Promise<BridgeRecord | number> {
  return new Promise((resolve, reject) => {
    child.once('message', (record) => resolve(BridgeRecord.parse(record)));
    child.once('error', reject);
    child.once('exit', (status) => resolve(status || 1));
  });
}
