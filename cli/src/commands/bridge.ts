import { Command, InvalidArgumentError, Option } from 'commander';

import { withCommand } from './lazily.ts';
import { withRouteOptions } from './transfer-options.ts';

/** `bridge [run] REGISTRY`, `bridge exec|status|stop`: a registry in the cluster as an address of this machine. */
export function bridgeCommand(): Command {
  const bridge = new Command('bridge')
    .description(
      'make a registry an address of this machine, for docker, buildah, crane and others',
    )
    .usage('REGISTRY [options]')
    .addHelpText('after', bridgeHelp);
  bridge.addCommand(runCommand(), { isDefault: true });
  bridge.addCommand(execCommand());
  bridge
    .command('status')
    .description('list the bridges of this user that run on this machine')
    .addHelpText('after', '\nExamples:\n  reposure bridge status -o json\n')
    .action(withCommand(async () => (await import('../bridge/status.ts')).bridgeStatusAction));
  bridge
    .command('stop')
    .description('end a bridge, and wait until it is gone, its files with it')
    .argument('[registry]', 'its Registry; not needed if there is one bridge only')
    .option('--config-dir <dir>', 'the one that has its files there')
    .option('--all', 'all of them')
    .addHelpText(
      'after',
      '\nExamples:\n  reposure bridge stop default\n  reposure bridge stop --all\n',
    )
    .action(withCommand(async () => (await import('../bridge/stop.ts')).bridgeStopAction));
  return bridge;
}

function runCommand(): Command {
  return withBridgeOptions(new Command('run'))
    .description('run a bridge; `reposure bridge REGISTRY` does the same')
    .argument('<registry>', 'name of the Registry resource')
    .option('--background', 'return when the bridge answers; it goes on in a process of its own')
    .addOption(new Option('--log-file <file>').hideHelp())
    .addHelpText('after', bridgeHelp)
    .action(withCommand(async () => (await import('../bridge/run.ts')).bridgeAction));
}

function execCommand(): Command {
  return withBridgeOptions(new Command('exec'))
    .description('run a command with a bridge, and end with its exit status')
    .usage('REGISTRY [options] -- COMMAND…')
    .argument('<registry>', 'name of the Registry resource')
    .argument('[command...]', 'what to run, with REGISTRY set to the address of the bridge')
    .addHelpText('after', execHelp)
    .action(withCommand(async () => (await import('../bridge/exec.ts')).bridgeExecAction));
}

function withBridgeOptions(command: Command): Command {
  return withRouteOptions(command)
    .option('--port <n>', 'port to listen on; 0 lets the system choose', portNumber, 0)
    .option(
      '--config-dir <dir>',
      "where the tools' logins and settings go; a temporary one by default",
    )
    .option('--no-token', 'let every user of this machine in, without a login');
}

const bridgeHelp = `
Tools see a plain registry on localhost. docker, podman, buildah, crane, oras, ko and others need no
flag with the variables that are printed; skopeo and helm want theirs for plain HTTP. What they push
goes on after the way to the cluster broke. For every push the bridge says what nodes pull.

Examples:
  reposure bridge default --port 5001
  reposure bridge default --background --config-dir .bridge -o json
  reposure bridge exec default -- sh -c 'docker push "$REGISTRY/team/app:1.2.3"'
  reposure bridge stop default
`;

const execHelp = `
Set for the command: REGISTRY, and DOCKER_CONFIG, REGISTRY_AUTH_FILE and CONTAINERS_REGISTRIES_CONF,
which name copies of its own files with the bridge added.

Examples:
  reposure bridge exec default -- sh -c 'docker push "$REGISTRY/team/app:1.2.3"'
  reposure bridge exec default -- make push
`;

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('Want a port, 0 to 65535.');
  return port;
}
