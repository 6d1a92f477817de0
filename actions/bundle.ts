import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { writeBundle } from './write-bundle.ts';

// Bundles every action into `dist/`, which is checked in: a runner runs it as it is, without npm.
const root = fileURLToPath(new URL('..', import.meta.url));
await writeBundle(process.argv[2] ?? join(root, 'dist'));
