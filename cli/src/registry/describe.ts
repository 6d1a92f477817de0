import { describePod } from '@reposure/core/install';
import type { Pod } from '@reposure/core/kubernetes';
import { resourceTypes } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import type { Command } from 'commander';
import { stringify } from 'yaml';

import { getRegistry, withCluster } from '../environment.ts';
import { print, table } from '../output.ts';

/** `registry describe NAME` */
export async function describeAction(name: string, _: unknown, command: Command): Promise<void> {
  await withCluster(command.optsWithGlobals(), async (environment) => {
    const { cluster, namespace, format, signal } = environment;
    const registry = await getRegistry(environment, name);
    const podName = names.surrogatePod(name);
    const pod = await cluster.find<Pod>(resourceTypes.Pod, podName, namespace, signal);
    await print(format, {
      value: registry,
      names: [`registry.reposure.puccini.cloud/${name}`],
      text: describe(registry, pod ? describePod(pod) : `Pod ${podName} does not exist`),
    });
  });
}

function describe({ metadata, spec, status }: Registry, surrogate: string): string {
  const conditions = (status?.conditions ?? []).map(({ type, status: is, reason, message }) => [
    `  ${type}`,
    is,
    reason,
    message,
  ]);
  return [
    `Name:       ${metadata.name}`,
    `Namespace:  ${metadata.namespace}`,
    `Provider:   ${status?.provider ?? ''}`,
    `Push host:  ${status?.pushHost ?? ''}`,
    `Pull host:  ${status?.pullHost ?? ''}`,
    `Surrogate:  ${surrogate}`,
    'Spec:',
    indent(stringify(spec).trimEnd()),
    'Conditions:',
    table(['  TYPE', 'STATUS', 'REASON', 'MESSAGE'], conditions) ||
      '  none: no operator has looked at it yet',
  ].join('\n');
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
