import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse } from 'yaml';

/** A kubeconfig as a file, for as long as it is used. */
export interface KubeconfigFile {
  /** `undefined` where the runner's own is meant. */
  readonly path: string | undefined;
  remove(): Promise<void>;
}

/**
 * Makes a file of a kubeconfig that came as text or base64; a path stays what it is.
 *
 * @param directory Never the workspace: from there a file gets into images and commits
 * (google-github-actions/auth#123).
 * @param mask Told everything secret in it, before anything else happens.
 */
export async function kubeconfigFile(
  input: string | undefined,
  directory: string,
  mask: (secret: string) => void,
): Promise<KubeconfigFile> {
  const text = input === undefined ? undefined : textOf(input);
  if (text === undefined) return { path: input, remove: async () => {} };
  for (const secret of secretsOf(parse(text))) mask(secret);
  const folder = await mkdtemp(join(directory, 'reposure-'));
  const path = join(folder, 'kubeconfig');
  await writeFile(path, text, { mode: 0o600 });
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

function textOf(input: string): string | undefined {
  if (/^\s*(?:apiVersion|kind|clusters|\{)/m.test(input)) return input;
  if (!/^[A-Za-z0-9+/=\s]{64,}$/.test(input)) return undefined;
  const decoded = Buffer.from(input, 'base64').toString();
  return decoded.includes('clusters') ? decoded : undefined;
}

const secretFields = new Set([
  'token',
  'password',
  'client-key-data',
  'id-token',
  'refresh-token',
  'access-token',
  'client-secret',
]);

/** Every secret of a kubeconfig, and each line of one that has several. */
export function secretsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]: [string, unknown]) => {
    if (typeof inner !== 'string') return secretsOf(inner);
    return secretFields.has(field) && inner !== '' ? [inner].concat(linesOf(field, inner)) : [];
  });
}

// The runner masks line by line: a key that is printed decoded has many.
function linesOf(field: string, text: string): string[] {
  if (!field.endsWith('-data')) return [];
  const decoded = Buffer.from(text, 'base64').toString();
  return decoded.split('\n').filter((line) => line.length >= 8);
}
