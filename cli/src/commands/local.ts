import { Command, InvalidArgumentError } from 'commander';

import type { LocalRegistryFlags } from '../local/actions.ts';

/** `local up|registry`: the embedded cluster and the embedded registry, alone. */
export function localCommand(): Command {
  const local = new Command('local').description(
    'the embedded cluster and registry: for trying and for tests',
  );
  local
    .command('up')
    .description('run a small Kubernetes API whose Pods are local processes, until interrupted')
    .usage('--kubeconfig <file>')
    .addHelpText(
      'after',
      `
The kubeconfig is written to <file> (0600) as the last step, and removed at the end.

Examples:
  reposure local up --kubeconfig /tmp/kubeconfig
`,
    )
    .action(async (_, command: Command) => {
      // Only a checkout has the embedded cluster; the image leaves it out.
      const { localUpAction } = await import('../local/actions.ts');
      await localUpAction(command);
    });
  local
    .command('registry')
    .description('run an OCI registry on a folder, until interrupted')
    .requiredOption('--directory <dir>', 'where the blobs lie; made if it is not there')
    .option('--port <n>', 'port to listen on; 0 lets the system choose', portNumber, 5000)
    .option('--address <ip>', 'address to listen on', '127.0.0.1')
    .addHelpText(
      'after',
      '\nExamples:\n  reposure local registry --directory /tmp/blobs --port 5000\n',
    )
    .action(async (flags: LocalRegistryFlags) => {
      const { localRegistryAction } = await import('../local/actions.ts');
      await localRegistryAction(flags);
    });
  return local;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('Want a port, 0 to 65535.');
  return port;
}
