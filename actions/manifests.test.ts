import { readFile } from 'node:fs/promises';

import { actionYaml, withTables } from '@reposure/action-shared/manifest';
import { describe, expect, it } from 'vitest';

import { manifests } from './manifests.ts';

/** What the cluster, or the machine, has to say whether it is there. */
const where = ['namespace', 'kubeconfig', 'context'];
const textsOf: Record<string, string[]> = {
  setup: [...where, 'image', 'registry'],
  push: ['source', 'registry', ...where],
  pull: ['to', 'registry', ...where],
  deploy: ['manifests', 'images', ...where, 'set'],
};

describe.each(manifests)('actions/$name', (manifest) => {
  const read = (name: string): Promise<string> =>
    readFile(new URL(`${manifest.name}/${name}`, import.meta.url), 'utf8');

  it('has the action.yml that `npm run manifests` makes of its inputs', async () => {
    expect(await read('action.yml')).toBe(actionYaml(manifest));
  });

  it('refuses nonsense in every input but those that are text, and says in which', () => {
    const { shape } = manifest.inputs;
    const texts = Object.keys(shape).filter((name) => {
      const { error } = manifest.inputs.safeParse({ [name]: '\n?' });
      return !error?.issues.some(({ path: [at] }) => at === name);
    });
    expect(texts).toEqual(textsOf[manifest.name]);
  });

  it('has a README with the tables that `npm run manifests` makes of them', async () => {
    const readme = await read('README.md');
    expect(readme).toBe(withTables(readme, manifest));
  });
});
