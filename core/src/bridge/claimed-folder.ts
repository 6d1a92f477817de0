import { mkdir, readdir, readFile, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import * as z from 'zod';

import { InputError } from '../errors.ts';
import { describeOwner, isAlive, ownOwner, parseOwner } from '../process-owner.ts';
import { jsonText, parsedJson } from './json-text.ts';

/** What a bridge writes into its folder, by what it is. */
const names = { docker: 'docker', auth: 'auth.json', registries: 'registries.conf' } as const;
/** Says whose those are: a person may have files of the same names. */
const claimName = '.reposure-bridge';

const Claim = z.object({
  owner: z.string(),
  address: z.string(),
  isMade: z.boolean().describe('Whether the folder was not there before'),
});
type Claim = z.infer<typeof Claim>;

/**
 * Takes a folder for the files of the bridge of this process, which it alone removes, or whoever finds
 * it dead.
 *
 * @param directory Made if it is not there, 0700.
 * @returns Where the files go.
 * @throws {InputError} if others may write there, or there are files of such names already.
 */
export async function claimFolder(
  directory: string,
  address: string,
): Promise<Record<keyof typeof names, string>> {
  const isNew = (await mkdir(directory, { recursive: true, mode: 0o700 })) !== undefined;
  await requireOwn(directory);
  const found = await readClaim(directory);
  if (found?.isLive) throw taken(directory, found.claim.address);
  const held = found ? [] : await namesHeld(directory);
  if (held.length > 0) {
    throw new InputError(
      `Cannot use ${directory}: it has ${held.join(', ')}, which no bridge wrote; want a new or an empty folder`,
    );
  }
  const owner = describeOwner(await ownOwner());
  const claim: Claim = { owner, address, isMade: isNew || (found?.claim.isMade ?? false) };
  if (found) await rm(claimOf(directory), { force: true });
  // Of two that begin at the same time, one gets it.
  await writeFile(claimOf(directory), jsonText(claim), { mode: 0o600, flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? taken(directory) : error;
    },
  );
  const { docker, auth, registries } = names;
  return {
    docker: join(directory, docker),
    auth: join(directory, auth),
    registries: join(directory, registries),
  };
}

/** Shows that the bridge of this process lives, to who shares the folder and not the processes. */
export async function renewClaim(directory: string): Promise<void> {
  const now = new Date();
  await utimes(claimOf(directory), now, now).catch(() => {}); // somebody has removed it
}

/**
 * Removes what a bridge wrote into a folder, and the folder if it made it and nothing else is in it;
 * nothing if it is not this process's, nor that of a dead one.
 */
export async function releaseFolder(directory: string): Promise<void> {
  const found = await readClaim(directory);
  if (!found || (found.isLive && !found.isOwn)) return;
  for (const name of Object.values(names)) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
  await rm(claimOf(directory), { force: true });
  if (found.claim.isMade) await rmdir(directory).catch(() => {}); // somebody's files are in it
}

function claimOf(directory: string): string {
  return join(directory, claimName);
}

/** @returns `undefined` if no bridge has anything there. */
async function readClaim(
  directory: string,
): Promise<
  { readonly claim: Claim; readonly isLive: boolean; readonly isOwn: boolean } | undefined
> {
  const path = claimOf(directory);
  const text = await readFile(path, 'utf8').catch(() => '');
  const parsed = Claim.safeParse(parsedJson(text));
  const owner = parsed.success && parseOwner(parsed.data.owner);
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: undefined }));
  if (!parsed.success || !owner || mtimeMs === undefined) return undefined;
  const isOwn = parsed.data.owner === describeOwner(await ownOwner());
  return { claim: parsed.data, isLive: await isAlive(owner, mtimeMs), isOwn };
}

async function namesHeld(directory: string): Promise<readonly string[]> {
  const found = new Set(await readdir(directory));
  return Object.values(names).filter((name) => found.has(name));
}

/** Whoever may write to the folder of a login may read it sooner or later, or put another one there. */
async function requireOwn(directory: string): Promise<void> {
  const { uid, mode } = await stat(directory);
  if (uid === (process.getuid?.() ?? uid) && (mode & 0o022) === 0) return;
  throw new InputError(
    `Cannot write logins to ${directory}: others may write there; want a folder of your own, mode 0700`,
  );
}

function taken(directory: string, address?: string): InputError {
  const bridge = address === undefined ? 'another bridge' : `the bridge ${address}`;
  return new InputError(
    `Cannot use ${directory}: ${bridge} has its files there; want another folder, or end it with \`reposure bridge stop --config-dir ${directory}\``,
  );
}
