import { join } from 'node:path';

import { explain } from '@reposure/core';
import type { Log } from '@reposure/core';
import type { GatewayKeys } from '@reposure/core/surrogate';

import { stateOf } from './file-state.ts';
import { readText } from './login-files.ts';

const checkEveryMs = 1000;
/** 32 bytes in base64url. */
const keyPattern = /^[\w-]{43,}$/;

/**
 * The keys of the signed gateway in two mounted Secrets, `keys/read` and `keys/write`, each with
 * `key`, and `previous` while it rotates; read anew when they change.
 *
 * @param directory Where they are mounted; what is absent, or no key, is left out.
 */
export function keyFiles(directory: string, log: Log): () => Promise<GatewayKeys> {
  let known: { readonly state: string; readonly keys: GatewayKeys } | undefined;
  let checking: { readonly atMs: number; readonly keys: Promise<GatewayKeys> } | undefined;
  const check = async (): Promise<GatewayKeys> => {
    // Before the files: what changes while they are read is seen the next time.
    const state = (await Promise.all(filesIn(directory).map(stateOf))).join();
    if (known?.state !== state) known = { state, keys: await readKeys(directory, log) };
    return known.keys;
  };
  return () => {
    const nowMs = performance.now();
    if (checking === undefined || nowMs - checking.atMs >= checkEveryMs) {
      checking = { atMs: nowMs, keys: check() };
    }
    return checking.keys;
  };
}

const uses = ['read', 'write'] as const;
const parts = ['key', 'previous'] as const;

function filesIn(directory: string): string[] {
  return uses.flatMap((use) => parts.map((part) => join(directory, 'keys', use, part)));
}

async function readKeys(directory: string, log: Log): Promise<GatewayKeys> {
  const files = filesIn(directory);
  const [key, previous, writeKey, writePrevious] = await Promise.all(
    files.map((file) => readKey(file, log)),
  );
  const keys = { read: present(key, previous), write: present(writeKey, writePrevious) };
  log.info(`the proxy route has ${keys.read.length} keys to read, ${keys.write.length} to write`);
  return keys;
}

function present(...keys: readonly (string | undefined)[]): string[] {
  return keys.filter((key) => key !== undefined);
}

/** A file that cannot be used must not take the others with it. */
async function readKey(file: string, log: Log): Promise<string | undefined> {
  try {
    const text = (await readText(file))?.trim();
    if (text === undefined || keyPattern.test(text)) return text;
    log.warn(`Cannot use the key in ${file}: want at least 32 random bytes in base64url`);
  } catch (error) {
    log.warn(explain(error));
  }
  return undefined;
}
