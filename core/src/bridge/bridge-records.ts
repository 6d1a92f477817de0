import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import * as z from 'zod';

import { describeOwner, heartbeatMs, isAlive, ownOwner, parseOwner } from '../process-owner.ts';
import { writeWholeFile } from '../whole-file.ts';
import { releaseFolder, renewClaim } from './claimed-folder.ts';
import { jsonText, parsedJson } from './json-text.ts';

/** A bridge that runs in a process of its own, as others find it. It names no login. */
export const BridgeRecord = z.object({
  address: z.string().describe('localhost:PORT, as tools write it'),
  registry: z.string(),
  namespace: z.string(),
  cluster: z.string().describe('Address of its API server'),
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

/** A bridge that has just begun. */
export type NewRecord = Omit<BridgeRecord, 'pid' | 'stateFile' | 'pushed'>;

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

  /** Writes down the bridge of this process, and shows every now and then that it lives. */
  async keep(given: NewRecord): Promise<KeptRecord> {
    // What killed ones have left holds logins.
    await this.list();
    await this.#make();
    const owner = describeOwner(await ownOwner());
    const stateFile = join(this.#directory, `${owner}.json`);
    const record: BridgeRecord = { ...given, pid: process.pid, stateFile, pushed: [] };
    const write = (): Promise<void> => writeWholeFile(stateFile, jsonText(record));
    let writing = write();
    await writing;
    const { promise: forgotten, resolve } = Promise.withResolvers<void>();
    const beat = (): void => {
      void renewClaim(given.configDir);
      void utimes(stateFile, new Date(), new Date()).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') resolve();
      });
    };
    const timer = setInterval(beat, heartbeatMs).unref();
    let notedAt = -Infinity;
    return {
      record,
      forgotten,
      notePush: async (reference) => {
        notedAt = performance.now();
        if (record.pushed.length < maxPushes) record.pushed.push(reference);
        // A help for whoever asks later: no push fails for want of it.
        writing = writing.then(write).catch(() => {});
        await writing;
      },
      remove: async () => {
        clearInterval(timer);
        await writing;
        // Whoever waits for the end looks every now and then.
        await delay(Math.max(0, notedAt + 2 * lookMs - performance.now()));
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
    for (const { record, isLive } of records) if (!isLive) await forget(record);
    const live = records.filter(({ isLive }) => isLive).map(({ record }) => record);
    return live.toSorted((a, b) => a.address.localeCompare(b.address));
  }

  /**
   * Ends a bridge, and waits until it is gone, its files with it.
   *
   * @returns What it had noted at the end.
   */
  async stop(record: BridgeRecord, signal?: AbortSignal): Promise<BridgeRecord> {
    const name = basename(record.stateFile);
    let last = record;
    for (const how of ['SIGTERM', 'SIGKILL'] as const) {
      send(record.pid, how);
      const deadline = performance.now() + endingTimeMs;
      while ((await isOwnerAlive(name)) && performance.now() < deadline) {
        signal?.throwIfAborted();
        // What it still has under way it brings to its end.
        last = (await this.#read(name))?.record ?? last;
        await delay(lookMs);
      }
      if (!(await isOwnerAlive(name))) break;
    }
    // It has done so itself, unless it was killed.
    await forget(record);
    return last;
  }

  async #read(
    name: string,
  ): Promise<{ readonly record: BridgeRecord; readonly isLive: boolean } | undefined> {
    const owner = parseOwner(name.replace(/\.json$/, ''));
    const file = join(this.#directory, name);
    const text = await readFile(file, 'utf8').catch(() => '');
    const parsed = BridgeRecord.safeParse(parsedJson(text));
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: undefined }));
    // It may have gone in between.
    if (!owner || !parsed.success || mtimeMs === undefined) return undefined;
    return { record: parsed.data, isLive: await isAlive(owner, mtimeMs) };
  }

  async #make(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
  }
}

async function isOwnerAlive(name: string): Promise<boolean> {
  const owner = parseOwner(name.replace(/\.json$/, ''));
  return owner !== undefined && (await isAlive(owner, Date.now()));
}

async function forget({ stateFile, logFile, configDir }: BridgeRecord): Promise<void> {
  await releaseFolder(configDir);
  for (const file of [stateFile, logFile]) if (file) await rm(file, { force: true });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
