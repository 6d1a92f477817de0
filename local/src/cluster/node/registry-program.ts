import { once } from 'node:events';

import { explain } from '@reposure/core';

import { registryFromEnvironment, startRegistry } from '../../registry/index.ts';

/** What stands for the images `registry:2` and `registry:3` inside of a Pod. */
async function main(): Promise<void> {
  const registry = await startRegistry(registryFromEnvironment(process.env));
  process.stdout.write(`listening on ${registry.host}\n`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await registry.close();
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
