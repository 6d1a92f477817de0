import { givePullSecret, takePullSecret } from '@reposure/core/install';
import type { PullSecret } from '@reposure/core/install';
import type { Command } from 'commander';

import { getRegistry, withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { print } from '../output.ts';

interface PullSecretFlags extends GlobalOptions {
  readonly serviceAccount?: readonly string[];
  readonly forNamespace?: string;
  readonly secret?: string;
  readonly remove?: boolean;
}

/** `registry pull-secret NAME` */
export async function pullSecretAction(name: string, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<PullSecretFlags>();
  await withCluster(flags, async (environment) => {
    const registry = await getRegistry(environment, name);
    const act = flags.remove ? takePullSecret : givePullSecret;
    const result = await act(environment.cluster, registry, {
      namespace: flags.forNamespace,
      secret: flags.secret,
      serviceAccounts: flags.serviceAccount,
    });
    await print(environment.format, {
      value: result,
      names: [`secret/${result.secret}`],
      text: describe(result),
    });
  });
}

function describe({ namespace, secret, serviceAccounts, state, host }: PullSecret): string {
  const accounts = serviceAccounts.map((account) => `ServiceAccount ${namespace}/${account}`);
  const lines = [`Secret ${namespace}/${secret} ${state}`];
  if (host === undefined) return [...lines, ...accounts.map((each) => `Out of ${each}`)].join('\n');
  if (accounts.length === 0) {
    lines.push(`Pods name it themselves: imagePullSecrets: [{name: ${secret}}]`);
  }
  lines.push(...accounts.map((each) => `Pods of ${each} pull from ${host}`));
  return lines.join('\n');
}
