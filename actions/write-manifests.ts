import { readFile, writeFile } from 'node:fs/promises';

import { actionYaml, withTables } from '@reposure/action-shared/manifest';

import { manifests } from './manifests.ts';

// Writes what is made of the inputs' schemas: `action.yml` and the tables of each action's README.
for (const manifest of manifests) {
  const file = (name: string): URL => new URL(`${manifest.name}/${name}`, import.meta.url);
  await writeFile(file('action.yml'), actionYaml(manifest));
  const readme = await readFile(file('README.md'), 'utf8');
  await writeFile(file('README.md'), withTables(readme, manifest));
}
