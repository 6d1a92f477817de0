import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { RegistrySpec } from '../resource/index.ts';
import { providerNames } from './resolve.ts';

const page = readFileSync(new URL('../../../docs/registries.md', import.meta.url), 'utf8');

it('docs/registries.md and the CRD name every provider, and no other', () => {
  const [, table = ''] = page.split(/<!-- \/?providers -->/);
  const named = [...table.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name);
  expect(new Set([...named, 'auto'])).toEqual(new Set(providerNames));
  const words = RegistrySpec.shape.provider.description?.match(/[\w-]+/g);
  expect(words).toEqual(expect.arrayContaining([...providerNames]));
});
