import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { actionYaml } from '@reposure/action-shared/manifest';

import { manifests } from '../../actions/manifests.ts';
import { generatedFiles as tektonFiles } from '../../tekton-tasks/generated.ts';
import { withTables } from './action-tables.ts';
import { commandPages } from './command-pages.ts';
import { root } from './documents.ts';
import { referenceIndex } from './reference-index.ts';
import { resourcePage } from './resource-page.ts';
import { resultsPage } from './results-page.ts';

/** Every file that `npm run docs` makes, by its path from the root on. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ...actionFiles(),
    ...under('tekton-tasks', tektonFiles()),
    ...(await reference()),
  ]);
}

function actionFiles(): [string, string][] {
  return manifests.flatMap((manifest) => {
    const folder = join('actions', manifest.name);
    const readme = readFileSync(join(root, folder, 'README.md'), 'utf8');
    return [
      [join(folder, 'action.yml'), actionYaml(manifest)],
      [join(folder, 'README.md'), withTables(readme, manifest)],
    ];
  });
}

async function reference(): Promise<[string, string][]> {
  const pages = new Map([
    ['README.md', await referenceIndex()],
    ['results.md', resultsPage()],
    ['registry-resource.md', resourcePage()],
    ...(await commandPages()),
  ]);
  return under('docs/reference', pages);
}

function under(folder: string, files: ReadonlyMap<string, string>): [string, string][] {
  return [...files].map(([path, text]) => [join(folder, path), text]);
}
