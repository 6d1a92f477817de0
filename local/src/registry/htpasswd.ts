import { createHmac, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

import { explain } from '@reposure/core';
import type { Log } from '@reposure/core';
import { compare } from 'bcryptjs';

/** Whether the `Authorization` of a request is good. */
export type Login = (authorization: string | undefined) => Promise<boolean>;

/**
 * Checks logins against a file of `user:bcrypt` lines, which is read again when it changes.
 *
 * bcrypt is slow on purpose, and a push makes hundreds of requests: a pair that was right is
 * remembered, as a keyed hash and in memory only, until the file changes.
 *
 * @see https://httpd.apache.org/docs/2.4/misc/password_encryptions.html
 */
export function htpasswdLogin(file: string, log: Log): Login {
  const key = randomBytes(32);
  let stamp = '';
  let users: ReadonlyMap<string, string> = new Map();
  const accepted = new Map<string, Promise<boolean>>();

  const refresh = async (): Promise<void> => {
    const now = await stampOf(file);
    if (now === stamp) return;
    users = parseHtpasswd(await readFile(file, 'utf8'));
    stamp = now;
    accepted.clear();
  };

  return async (authorization) => {
    const pair = pairOf(authorization);
    if (!pair) return false;
    try {
      await refresh();
    } catch (error) {
      log.warn(`Cannot check a login: the htpasswd file cannot be read: ${explain(error)}`);
      return false;
    }
    const name = createHmac('sha256', key).update(`${pair.user}\0${pair.password}`).digest('hex');
    const known = accepted.get(name);
    if (known) return known;
    const checking = check(users, pair);
    accepted.set(name, checking);
    const isGood = await checking;
    if (!isGood && accepted.get(name) === checking) accepted.delete(name);
    return isGood;
  };
}

/** Reads `user:hash` lines; only bcrypt counts, as in Distribution. */
export function parseHtpasswd(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').map((line) => line.trim());
  const pairs = lines.map((line) => /^([^#:][^:]*):(\$2[aby]\$.+)$/.exec(line));
  return new Map(pairs.flatMap((match) => (match ? [[match[1] ?? '', match[2] ?? '']] : [])));
}

interface Pair {
  readonly user: string;
  readonly password: string;
}

function pairOf(authorization: string | undefined): Pair | undefined {
  const [, encoded] = /^basic +([\w+/=-]+)$/i.exec(authorization ?? '') ?? [];
  if (!encoded) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

async function check(users: ReadonlyMap<string, string>, pair: Pair): Promise<boolean> {
  const hash = users.get(pair.user);
  // An unknown user takes as long as a wrong password, so that names cannot be guessed by the clock.
  const [other] = users.values();
  const isGood = await compare(pair.password, hash ?? other ?? '').catch(() => false);
  return isGood && hash !== undefined;
}

/** Changes when the file does, also when a mounted Secret is swapped under it. */
async function stampOf(file: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(file);
  return [mtimeMs, size, ino].join(' ');
}
