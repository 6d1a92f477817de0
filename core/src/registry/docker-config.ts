import { readFile } from 'node:fs/promises';

import * as z from 'zod';

import { InputError } from '../errors.ts';
import { parseInput } from '../input.ts';
import { runCredentialHelper } from './credential-helper.ts';
import type { RunHelper } from './credential-helper.ts';
import type { Credentials, CredentialSource } from './credentials.ts';

const Entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});
type Entry = z.infer<typeof Entry>;

/**
 * The logins of a `config.json`, a `.dockerconfigjson` or a containers-auth `auth.json`.
 *
 * @see https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
 */
export const DockerConfig = z.looseObject({
  auths: z.record(z.string(), Entry).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});
export type DockerConfig = z.infer<typeof DockerConfig>;

const hubServer = 'https://index.docker.io/v1/';
const hubHosts = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/**
 * Finds logins in a docker config: the most specific of `host/path`, `host`, by whole segments.
 *
 * @param config Parsed, or the path of a file, which is read anew each time: it may be rotated.
 * @throws {InputError} when asked, if the file cannot be read or is something else.
 */
export function dockerConfigCredentials(
  config: string | DockerConfig,
  runHelper: RunHelper = runCredentialHelper,
): CredentialSource {
  return async (registryHost, repository) => {
    const parsed = typeof config === 'string' ? await readDockerConfig(config) : config;
    const host = canonicalHost(registryHost);
    const found = candidates(host, repository);
    const helped = await askHelper(parsed, { host, found, runHelper });
    return helped ?? entryFor(parsed, host, found);
  };
}

/** Reads a docker config. @throws {InputError} without a word of what is in it. */
export async function readDockerConfig(file: string): Promise<DockerConfig> {
  const fail = (state: string): never => {
    throw new InputError(`Cannot read the logins in ${file}: ${state}`);
  };
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) =>
    fail(error.code === 'ENOENT' ? 'there is no such file' : (error.code ?? 'it is not readable')),
  );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Without the parser's words: they quote the file.
    return fail('it is not JSON; want a docker config with "auths"');
  }
  return parseInput(DockerConfig, json, `the logins in ${file}`);
}

async function askHelper(
  config: DockerConfig,
  asked: { host: string; found: readonly string[]; runHelper: RunHelper },
): Promise<Credentials | undefined> {
  const helpers = Object.entries(config.credHelpers ?? {});
  const key = asked.found.find((name) => helpers.some(([own]) => canonicalKey(own) === name));
  const [, own] = helpers.find(([name]) => canonicalKey(name) === key) ?? [];
  const helper = own || config.credsStore;
  if (!helper) return undefined;
  const server = asked.host === 'docker.io' ? hubServer : asked.host;
  try {
    return await asked.runHelper(helper, server);
  } catch (error) {
    // A laptop's config names a helper that a container lacks, beside a login that would do.
    if (entryFor(config, asked.host, asked.found)) return undefined;
    throw error;
  }
}

function entryFor(
  config: DockerConfig,
  host: string,
  found: readonly string[],
): Credentials | undefined {
  const entries = Object.entries(config.auths ?? {});
  for (const name of found) {
    for (const [key, entry] of entries) {
      const credentials = canonicalKey(key) === name ? credentialsOf(entry, key) : undefined;
      if (credentials) return credentials;
    }
  }
  const legacy = entries.find(([key]) => legacyHost(key) === host);
  return legacy && credentialsOf(legacy[1], legacy[0]);
}

/** `host/a/b`, `host/a`, `host`: the most specific first, and never a part of a segment. */
function candidates(host: string, repository: string | undefined): readonly string[] {
  const parts = [host, ...(repository?.split('/') ?? [])];
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
}

function canonicalKey(key: string): string {
  const [host = '', ...rest] = key.replace(/\/+$/, '').split('/');
  return [canonicalHost(host), ...rest].join('/');
}

// docker login once wrote URLs: https://index.docker.io/v1/, https://host/v2/.
function legacyHost(key: string): string | undefined {
  const [, host] =
    /^https?:\/\/([^/]+)(?:\/.*)?$/.exec(key) ?? /^([^/]+)\/v[12]\/?$/.exec(key) ?? [];
  return host === undefined ? undefined : canonicalHost(host);
}

function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  return hubHosts.has(lower) ? 'docker.io' : lower;
}

function credentialsOf(entry: Entry, key: string): Credentials | undefined {
  const { auth, identitytoken, registrytoken, username, password } = entry;
  if (registrytoken) return { kind: 'bearer', token: registrytoken };
  if (identitytoken) return { kind: 'token', token: identitytoken };
  if (username && password) return { kind: 'basic', username, password };
  if (!auth) return undefined;
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  if (colon > 0) {
    return { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  throw new InputError(
    `Cannot use the login for "${key}": its "auth" is not base64 of user:password`,
  );
}
