import { mkdirSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';

import type { Program, ProgramContainer, ProgramTable } from './program.ts';

/** Names under which the image of Reposure has its one program. */
const ownNames = ['reposure', 'reposure-surrogate', 'reposure-operator', 'kubectl-reposure'];

/** By a name of package.json: a bundle has it elsewhere. */
const registryScript = createRequire(import.meta.url).resolve('#registry-program');

/**
 * The images that a cluster can run: ours, a registry, and what the caller adds.
 *
 * @param binFolder Made here: links by which our program tells what it is called, and `node`.
 * @param own The image of Reposure and the script that it runs.
 */
export function programTable(
  binFolder: string,
  own: { readonly image: string; readonly script: string },
  programs: ProgramTable = {},
): ProgramTable {
  mkdirSync(binFolder, { recursive: true });
  symlinkSync(process.execPath, join(binFolder, 'node'));
  for (const name of ownNames) symlinkSync(own.script, join(binFolder, name));
  const registry: Program = {
    mapped: true,
    command: registryCommand,
    environment: registryDefaults,
  };
  return {
    [own.image]: { mapped: true, command: (container) => ownCommand(binFolder, container) },
    'registry:2': registry,
    'registry:3': registry,
    ...programs,
  };
}

function ownCommand(binFolder: string, { command, args }: ProgramContainer): string[] {
  const [name = 'reposure', ...rest] = command;
  const called = basename(name);
  if (!ownNames.includes(called)) return [name, ...rest, ...args];
  return [process.execPath, join(binFolder, called), ...rest, ...args];
}

/** An exec runs what it names; the arguments of the image (`serve config.yml`) are not ours to read. */
function registryCommand({ command, args }: ProgramContainer): string[] {
  const [name = 'registry'] = command;
  const isEntryPoint = ['registry', 'entrypoint.sh'].includes(basename(name));
  return isEntryPoint ? [process.execPath, registryScript] : [...command, ...args];
}

/** What the image has in its configuration file. */
function registryDefaults({ hostPathOf }: ProgramContainer): Record<string, string> {
  return {
    REGISTRY_HTTP_ADDR: ':5000',
    REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: hostPathOf('/var/lib/registry'),
  };
}
