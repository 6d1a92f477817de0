import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { bundleProgram } from './bundle-program.ts';

// Bundles the program for the image: `build/image/reposure.mjs` and what it loads, and its names in `bin/`.
const output = fileURLToPath(new URL('../build/image', import.meta.url));
await rm(output, { recursive: true, force: true });
// Where the node images have it: a small base image need not have an env.
await bundleProgram(output, { node: '/usr/local/bin/node', minify: true });
