import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

import * as z from 'zod';

import { collect } from '../bytes.ts';
import type { Credentials } from './credentials.ts';
import { AuthenticationError } from './registry-error.ts';

/** Asks the program `docker-credential-<helper>` for the login of a registry. */
export type RunHelper = (helper: string, server: string) => Promise<Credentials | undefined>;

const maxAnswerBytes = 64 * 1024;
const timeoutMs = 60_000;

const Answer = z.object({ Username: z.string(), Secret: z.string() });

/**
 * Runs a credential helper; what it is asked goes over standard input, never through a shell.
 *
 * @param helper The part of the program's name after `docker-credential-`.
 * @returns `undefined` if the helper knows no login.
 * @throws {AuthenticationError} if there is no such helper, or it fails.
 * @see https://github.com/docker/docker-credential-helpers#development
 */
export async function runCredentialHelper(
  helper: string,
  server: string,
): Promise<Credentials | undefined> {
  // The name is from a file: it must not lead to another folder.
  if (!/^[\w-][\w.-]*$/.test(helper)) throw failed(helper, server, 'that is not its name');
  const child = spawn(`docker-credential-${helper}`, ['get'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: timeoutMs,
  });
  const [code, text] = await Promise.all([exitOf(child, helper, server), answerOf(child, server)]);
  if (code === 0) return credentialsOf(text, helper, server);
  if (/credentials not found/i.test(text)) return undefined;
  // Its words are not repeated: nobody knows what is in them.
  throw failed(helper, server, `it ended with status ${code ?? 'unknown'}`);
}

function exitOf(child: ChildProcess, helper: string, server: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const state = cause.code === 'ENOENT' ? 'it is not installed' : (cause.code ?? 'it fails');
      reject(failed(helper, server, state));
    });
    child.once('close', resolve);
  });
}

async function answerOf(child: ChildProcess, server: string): Promise<string> {
  // A helper that ends without reading is judged by its status.
  child.stdin?.on('error', () => {});
  child.stdin?.end(server);
  if (!child.stdout) return '';
  const bytes = await collect(child.stdout, 'the answer of a credential helper', maxAnswerBytes);
  return bytes.toString('utf8');
}

function credentialsOf(text: string, helper: string, server: string): Credentials | undefined {
  const parsed = Answer.safeParse(jsonOf(text));
  if (!parsed.success) throw failed(helper, server, 'its answer is not a login');
  const { Username: username, Secret: secret } = parsed.data;
  if (!username && !secret) return undefined;
  return username === '<token>'
    ? { kind: 'token', token: secret }
    : { kind: 'basic', username, password: secret };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failed(helper: string, server: string, state: string): AuthenticationError {
  return new AuthenticationError(
    `Cannot get the login for ${server} from docker-credential-${helper}: ${state}; want a working helper, or the login in the file itself`,
  );
}
