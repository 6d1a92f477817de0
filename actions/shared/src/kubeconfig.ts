import { access, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

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
  const value = parsed(text);
  for (const secret of secretsOf(value)) mask(secret);
  if (!isKubeconfig(value)) throw noKubeconfig();
  const path = join(folder, 'kubeconfig');
  await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  return path;
}

/** Every secret of a kubeconfig, and each line of one that has several. */
export function kubeconfigSecrets(text: string): string[] {
  try {
    return secretsOf(parse(text));
  } catch {
    // Whoever reads it says what is wrong with it.
    return [];
  }
}

async function textOf(input: string): Promise<string | undefined> {
  if (/^\s*["']?(?:apiVersion|kind|clusters|\{)/m.test(input)) return input;
  const decoded = isBase64(input) ? Buffer.from(input, 'base64').toString() : '';
  if (decoded.includes('clusters')) return decoded;
  const isPath = !input.includes('\n') && (await isAnyThere(input.split(delimiter)));
  if (isPath) return undefined;
  throw isPathLike(input) ? noFile(input) : noKubeconfig();
}

function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/=\s]{64,}$/.test(text);
}

/** What a person would write as a path, and nobody as a secret. */
function isPathLike(input: string): boolean {
  return /^[\w.~:\\/ -]{1,255}$/.test(input) && /[\\/]|\.(?:ya?ml|conf|config|json)$/.test(input);
}

/** As kubectl has it: of several, those that are not there are passed over. */
async function isAnyThere(paths: readonly string[]): Promise<boolean> {
  const looks = await Promise.allSettled(paths.map((path) => access(path)));
  return looks.some(({ status }) => status === 'fulfilled');
}

function isKubeconfig(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return 'clusters' in value && Array.isArray(value.clusters);
}

function noFile(path: string): InputError {
  return new InputError(`Cannot use the input "kubeconfig": there is no file ${path}`);
}

function noKubeconfig(): InputError {
  return new InputError(
    'Cannot use the input "kubeconfig": it is no kubeconfig; want its text, its text in base64, or a path',
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
