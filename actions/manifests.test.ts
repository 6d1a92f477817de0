import { readFile } from 'node:fs/promises';

import { actionYaml, withTables } from '@reposure/action-shared/manifest';
import { describe, expect, it } from 'vitest';

import { manifests } from './manifests.ts';

describe.each(manifests)('actions/$name', (manifest) => {
  const read = (name: string): Promise<string> =>
    readFile(new URL(`${manifest.name}/${name}`, import.meta.url), 'utf8');

  it('has the action.yml that `npm run manifests` makes of its inputs', async () => {
    expect(await read('action.yml')).toBe(actionYaml(manifest));
  });

  it('has a README with the tables that `npm run manifests` makes of them', async () => {
    const readme = await read('README.md');
    expect(readme).toBe(withTables(readme, manifest));
  });
});
