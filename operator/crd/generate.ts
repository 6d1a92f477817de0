import { writeFileSync } from 'node:fs';

import { registryCrdYaml } from '@reposure/core/install';

// node operator/crd/generate.ts: after every change of core/src/resource.
writeFileSync(new URL('registries.yaml', import.meta.url), registryCrdYaml());
