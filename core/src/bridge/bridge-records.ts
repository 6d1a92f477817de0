import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import * as z from 'zod';

import { InputError } from '../errors.ts';
import { describeOwner, heartbeatMs, isAlive, ownOwner, parseOwner } from '../process-owner.ts';
import { writeWholeFile } from '../whole-file.ts';
import { jsonText, parsedJson } from './json-text.ts';
import { removeToolFiles } from './tool-files.ts';

/** A bridge that runs in a process of its own, as others find it. It names no login. */
export const BridgeRecord = z.object({
  address: z.string().describe('localhost:PORT, as tools write it'),
  registry: z.string(),
  namespace: z.string(),
  route: z.string(),
  pid: z.int(),
  stateFile: z.string(),
  logFile: z.string().optional(),
  configDir: z.string(),
  env: z.object({
    DOCKER_CONFIG: z.string(),
    REGISTRY_AUTH_FILE: z.string(),
    CONTAINERS_REGISTRIES_CONF: z.string(),
    REGISTRY: z.string(),
  }),
  pushed: z.array(z.string()).describe('What nodes pull, or Pods reach where that is not known'),
});
export type BridgeRecord = z.infer<typeof BridgeRecord>;

/** The record of the bridge of this process. */
export interface KeptRecord {
  readonly record: BridgeRecord;
  /** Resolves when somebody has removed it: nobody finds the bridge any more. */
  readonly forgotten: Promise<void>;
  /** Notes a reference that was pushed. */
  notePush(reference: string): Promise<void>;
  remove(): Promise<void>;
}

/** So many are noted; whoever pushes more has a log. */
const maxPushes = 1000;
/** For the requests under way, the uploads that are given up, and the goodbye of the route. */
const endingTimeMs = 15_000;
const lookMs = 50;

/** The bridges of this user on this machine. */
export class BridgeRecords {
  readonly #directory: string;

  /** @param directory Made when something is put into it. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Where the next bridge writes what it has to say; made, 0600. */
  async newLogFile(name: string): Promise<string> {
    await this.#make();
    const file = join(this.#directory, `${name}.log`);
    await writeFile(file, '', { mode: 0o600, flag: 'wx' });
    return file;
  }

  /**
   * Refuses a folder that another bridge has its logins in.
   *
   * @throws {InputError} if one has.
   */
  async requireUnused(configDir: string): Promise<void> {
    const found = (await this.list()).find((record) => record.configDir === configDir);
    if (!found) return;
    throw new InputError(
      `Cannot use ${configDir}: the bridge ${found.address} has its files there; want another folder, or end it with \`reposure bridge stop --config-dir ${configDir}\``,
    );
  }

  /** Writes down the bridge of this process, and shows every now and then that it lives. */
  async keep(given: Omit<BridgeRecord, 'pid' | 'stateFile' | 'pushed'>): Promise<KeptRecord> {
    await this.#make();
    const owner = describeOwner(await ownOwner());
    const stateFile = join(this.#directory, `${owner}.json`);
    const record: BridgeRecord = { ...given, pid: process.pid, stateFile, pushed: [] };
    const write = (): Promise<void> => writeWholeFile(stateFile, jsonText(record));
    let writing = write();
    await writing;
    const { promise: forgotten, resolve } = Promise.withResolvers<void>();
    const beat = (): void =>
      void utimes(stateFile, new Date(), new Date()).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') resolve();
      });
    const timer = setInterval(beat, heartbeatMs).unref();
    return {
      record,
      forgotten,
      notePush: async (reference) => {
        if (record.pushed.length < maxPushes) record.pushed.push(reference);
        // A help for whoever asks later: no push fails for want of it.
        writing = writing.then(write).catch(() => {});
        await writing;
      },
      remove: async () => {
        clearInterval(timer);
        await writing;
        await rm(stateFile, { force: true });
      },
    };
  }

  /** Those that run; what others have left, who were killed, is removed. */
  async list(): Promise<BridgeRecord[]> {
    const names = await readdir(this.#directory).catch(() => []);
    const found = await Promise.all(
      names.filter((name) => name.endsWith('.json')).map((name) => this.#read(name)),
    );
    const records = found.filter((each) => each !== undefined);
    const live = records.filter(({ isLive }) => isLive).map(({ record }) => record);
    const dead = records.filter(({ isLive }) => !isLive).map(({ record }) => record);
    const inUse = new Set(live.map(({ configDir }) => configDir));
    for (const record of dead) await forget(record, !inUse.has(record.configDir));
    return live.toSorted((a, b) => a.address.localeCompare(b.address));
  }

  /**
   * Ends a bridge, and waits until it is gone, its files with it.
   *
   * @returns What it had noted at the end.
   */
  async stop(record: BridgeRecord, signal?: AbortSignal): Promise<BridgeRecord> {
    const name = basename(record.stateFile);
    const last = (await this.#read(name))?.record ?? record;
    send(record.pid, 'SIGTERM');
    if (!(await this.#isGone(name, signal))) {
      send(record.pid, 'SIGKILL');
      await this.#isGone(name, signal);
    }
    // It has done so itself, unless it was killed.
    await forget(record, true);
    return last;
  }

  async #isGone(name: string, signal: AbortSignal | undefined): Promise<boolean> {
    const deadline = performance.now() + endingTimeMs;
    while (performance.now() < deadline) {
      signal?.throwIfAborted();
      const owner = parseOwner(name.replace(/\.json$/, ''));
      if (!owner || !(await isAlive(owner, Date.now()))) return true;
      await delay(lookMs);
    }
    return false;
  }

  async #read(
    name: string,
  ): Promise<{ readonly record: BridgeRecord; readonly isLive: boolean } | undefined> {
    const owner = parseOwner(name.replace(/\.json$/, ''));
    const file = join(this.#directory, name);
    const text = await readFile(file, 'utf8').catch(() => '');
    const parsed = BridgeRecord.safeParse(parsedJson(text));
    if (!owner || !parsed.success) return undefined;
    const isLive = await isAlive(owner, (await stat(file)).mtimeMs);
    return { record: parsed.data, isLive };
  }

  async #make(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
  }
}

async function forget(
  { stateFile, logFile, configDir }: BridgeRecord,
  withToolFiles: boolean,
): Promise<void> {
  if (withToolFiles) await removeToolFiles(configDir);
  for (const file of [stateFile, logFile]) if (file) await rm(file, { force: true });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
