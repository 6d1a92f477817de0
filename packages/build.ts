import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { buildLibrary } from './build-library.ts';
import { buildProgram } from './build-program.ts';

// Builds what is published, as plain JavaScript: `node packages/build.ts core|reposure`. `npm pack` and
// `npm publish` run it by themselves (`prepack`).
const root = fileURLToPath(new URL('..', import.meta.url));
const builds = { core: buildLibrary, reposure: buildProgram };
const [name = ''] = process.argv.slice(2);
if (!isBuild(name)) {
  throw new Error(`Cannot build "${name}": want ${Object.keys(builds).join(' or ')}`);
}
const directory = join(root, 'packages', name);
await rm(join(directory, 'dist'), { recursive: true, force: true });
await copyFile(join(root, 'LICENSE'), join(directory, 'LICENSE'));
await builds[name](root, directory);

function isBuild(text: string): text is keyof typeof builds {
  return Object.hasOwn(builds, text);
}
