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
  it('refuses nonsense in every input but those that are text, and says in which', () => {
    const { shape } = manifest.inputs;
    const texts = Object.keys(shape).filter((name) => {
      const { error } = manifest.inputs.safeParse({ [name]: '\n?' });
      return !error?.issues.some(({ path: [at] }) => at === name);
    });
    expect(texts).toEqual(textsOf[manifest.name]);
  });
});
