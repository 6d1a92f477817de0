#!/usr/bin/env node
// Plain JavaScript that an old Node can read, to say what is missing.
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';

if ('createZstdDecompress' in zlib) {
  // What Node made of the program the last time. Beside it, so that only who may change that may change this.
  const cache = new URL('../../.cache/reposure', import.meta.url);
  nodeModule.enableCompileCache(fileURLToPath(cache));
  await import('../dist/reposure.js');
} else {
  process.stderr.write(
    `reposure: Cannot run on Node ${process.versions.node}: it has no zstd; want Node 22.15 or later, or 24\n`,
  );
  process.exitCode = 1;
}
