import { resourceTypes } from '@reposure/core/kubernetes';
import { conditionOf } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import type { Command } from 'commander';

import { withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { print, table } from '../output.ts';

/** `registry list` */
export async function listAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalOptions & { allNamespaces?: boolean }>();
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    const scope = flags.allNamespaces ? {} : { namespace };
    const { items } = await cluster.list<Registry>(resourceTypes.Registry, { ...scope, signal });
    if (items.length === 0) {
      log.info(flags.allNamespaces ? 'No registries' : `No registries in namespace "${namespace}"`);
    }
    await print(format, {
      value: items,
      names: items.map(({ metadata }) => `registry.reposure.puccini.cloud/${metadata.name}`),
      text: table(
        ['NAMESPACE', 'NAME', 'PROVIDER', 'PUSH-HOST', 'PULL-HOST', 'READY'],
        items.map(rowOf),
      ),
    });
  });
}

function rowOf(registry: Registry): string[] {
  const { metadata, status } = registry;
  return [
    metadata.namespace,
    metadata.name,
    status?.provider ?? '',
    status?.pushHost ?? '',
    status?.pullHost ?? '',
    conditionOf(registry, 'Ready')?.status ?? 'Unknown',
  ];
}
