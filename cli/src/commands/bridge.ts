import { Command, InvalidArgumentError } from 'commander';

import { withRouteOptions } from './transfer-options.ts';

/** `bridge REGISTRY|exec|status|stop`: a registry in the cluster as an address of this machine. */
export function bridgeCommand(): Command {
  return withBridgeOptions(new Command('bridge'))
    .description('make a registry an address of this machine, for docker, buildah, crane and others')
    .argument('<registry>', 'name of the Registry resource')
    .action(async function (this: Command) {
      const { bridgeAction } = await import('../bridge/run.ts');
      await bridgeAction(this);
    });
}

function withBridgeOptions(command: Command): Command {
  return withRouteOptions(command)
    .option('--port <n>', 'port to listen on; 0 lets the system choose', portNumber, 0)
    .option('--config-dir <dir>', "where the tools' logins and settings are written; removed at the end")
    .option('--no-token', 'let every user of this machine in');
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('Want a port, 0 to 65535.');
  return port;
}
