import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { InputError } from '@reposure/core';
import { parse } from 'yaml';

/**
 * Makes a file of a kubeconfig that came as text or base64; a path stays what it is.
 *
 * @param folder Never the workspace: from there a file gets into images and commits
 * (google-github-actions/auth#123).
 * @param mask Told everything secret in it, before anything else happens.
 * @throws {InputError} if it is none of the three; the message does not quote it.
 */
export async function kubeconfigPath(
  input: string,
  folder: string,
  mask: (secret: string) => void,
): Promise<string> {
  const text = await textOf(input);
  if (text === undefined) return input;
  if (text !== input) mask(input);
  for (const secret of secretsOf(parsed(text))) mask(secret);
  const path = join(folder, 'kubeconfig');
  await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  return path;
}

async function textOf(input: string): Promise<string | undefined> {
  if (/^\s*["']?(?:apiVersion|kind|clusters|\{)/m.test(input)) return input;
  const decoded = isBase64(input) ? Buffer.from(input, 'base64').toString() : '';
  if (decoded.includes('clusters')) return decoded;
  if (!input.includes('\n') && (!isBase64(input) || (await isThere(input)))) return undefined;
  throw new InputError(
    'Cannot use the input "kubeconfig": it is no kubeconfig; want its text, its text in base64, or a path',
  );
}

function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/=\s]{64,}$/.test(text);
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    // Without the parser's own words: they quote the file.
    throw new InputError('Cannot use the input "kubeconfig": it is no YAML; want a kubeconfig');
  }
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
function secretsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]: [string, unknown]) => {
    if (typeof inner !== 'string') return secretsOf(inner);
    const isSecret = secretFields.has(field) || (field === 'value' && isSecretVariable(value));
    return isSecret && inner !== '' ? [inner].concat(linesOf(field, inner)) : [];
  });
}

/** What an exec plugin is given: the rest, such as a region, would only make the log unreadable. */
function isSecretVariable(variable: object): boolean {
  const name = 'name' in variable ? String(variable.name) : '';
  return /TOKEN|SECRET|PASSWORD|KEY|CREDENTIAL/i.test(name);
}

// The runner masks line by line: a key that is printed decoded has many.
function linesOf(field: string, text: string): string[] {
  if (!field.endsWith('-data')) return [];
  const decoded = Buffer.from(text, 'base64').toString();
  return decoded.split('\n').filter((line) => line.length >= 8 && !line.startsWith('-----'));
}
