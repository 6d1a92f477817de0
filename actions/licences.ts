import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';

import { parseInput } from '@reposure/core';
import type { RolldownOutput } from 'rolldown';
import * as z from 'zod';

const Package = z.object({ name: z.string(), version: z.string(), license: z.string() });

/** The licences, and notices, of every package that is in a bundle. */
export async function licencesOf(output: RolldownOutput['output']): Promise<string> {
  const modules = output.flatMap((file) =>
    file.type === 'chunk' ? Object.keys(file.modules) : [],
  );
  const folders = new Set(modules.flatMap(packageFolderOf));
  const texts = await Promise.all([...folders].map(licenceOf));
  return `${[...new Set(texts)].toSorted().join('\n\n')}\n`;
}

function packageFolderOf(module: string): string[] {
  const parts = module.split(sep);
  const at = parts.lastIndexOf('node_modules');
  if (at === -1) return [];
  const depth = parts[at + 1]?.startsWith('@') ? 3 : 2;
  return [parts.slice(0, at + depth).join(sep)];
}

async function licenceOf(folder: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const { name, version, license } = parseInput(Package, manifest, `package.json of ${folder}`);
  const files = (await readdir(folder)).filter((file) => /^(?:licen[cs]e|notice)\b/i.test(file));
  const texts = await Promise.all(
    files.toSorted().map((file) => readFile(join(folder, file), 'utf8')),
  );
  const said = texts.map((text) => text.replaceAll('\r\n', '\n').trim()).join('\n\n');
  const text = said || `Its licence, by its package.json: ${license}. It carries no text of it.`;
  return `${'-'.repeat(80)}\n${name}@${version} (${license})\n\n${text}`;
}
