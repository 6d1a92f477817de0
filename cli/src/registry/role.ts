import { execRoleOf } from '@reposure/core/install';
import type { Command } from 'commander';
import { stringify } from 'yaml';

import { getRegistry, withCluster } from '../environment.ts';
import { print } from '../output.ts';

/** `registry role NAME` */
export async function roleAction(name: string, _: unknown, command: Command): Promise<void> {
  await withCluster(command.optsWithGlobals(), async (environment) => {
    const role = execRoleOf(await getRegistry(environment, name));
    await print(environment.format, {
      value: role,
      names: [`role.rbac.authorization.k8s.io/${role.metadata.name}`],
      text: stringify(role, { aliasDuplicateObjects: false }).trimEnd(),
    });
  });
}
