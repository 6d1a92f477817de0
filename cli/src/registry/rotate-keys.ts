import { rotateKeys } from '@reposure/core/install';
import type { Command } from 'commander';

import { getRegistry, withCluster } from '../environment.ts';
import { print } from '../output.ts';

/** `registry rotate-keys NAME` */
export async function rotateKeysAction(name: string, _: unknown, command: Command): Promise<void> {
  await withCluster(command.optsWithGlobals(), async (environment) => {
    const registry = await getRegistry(environment, name);
    const secrets = await rotateKeys(environment.cluster, registry);
    await print(environment.format, {
      value: { secrets },
      names: secrets.map((secret) => `secret/${secret}`),
      text: `Registry ${environment.namespace}/${name} has new keys; the former ones count until the next rotation`,
    });
  });
}
