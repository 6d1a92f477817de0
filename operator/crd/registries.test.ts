import { readFileSync } from 'node:fs';

import { registryCrdYaml } from '@reposure/core/install';
import { expect, it } from 'vitest';

it('registries.yaml is what operator/crd/generate.ts makes today', () => {
  const checkedIn = readFileSync(new URL('registries.yaml', import.meta.url), 'utf8');
  expect(checkedIn).toBe(registryCrdYaml());
});
