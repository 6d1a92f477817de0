import { InputError, parseDurationMs } from '@reposure/core';
import { installSimple, simpleHosts, uninstallSimple } from '@reposure/core/install';
import type { ImagePullPolicy } from '@reposure/core/install';
import { names } from '@reposure/core/resource';
import { Command } from 'commander';

import { withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { print } from '../output.ts';
import { withImagePullOptions } from './image-pull-options.ts';
import { withLogOptions } from './logs.ts';
import type { LogFlags } from './logs.ts';
import { printDeploymentLogs } from './operator.ts';
import { withWaitOptions } from './waiting.ts';
import type { WaitFlags } from './waiting.ts';

interface SimpleFlags extends GlobalOptions, WaitFlags {
  readonly tls?: boolean;
  readonly authentication?: boolean;
  readonly login?: boolean;
  readonly authorization?: boolean;
  readonly nodePort?: true | string;
  readonly storage?: string;
  readonly image?: string;
  readonly imagePullPolicy?: ImagePullPolicy;
  readonly imagePullSecret?: readonly string[];
  readonly purge?: boolean;
}

/** `simple install|uninstall|host|logs` */
export function simpleCommand(): Command {
  const simple = new Command('simple').description(
    'a registry of our own in the cluster: Distribution',
  );
  simple.addCommand(installCommand());
  withWaitOptions(simple.command('uninstall'), 'its Pods are gone')
    .description('remove the simple registry and its Secrets')
    .option('--purge', 'also the volume with the images')
    .addHelpText('after', '\nExamples:\n  reposure simple uninstall --wait\n')
    .action(uninstallAction);
  simple
    .command('host')
    .description('print the host by which nodes pull; by which Pods push where there is no other')
    .addHelpText('after', '\nExamples:\n  reposure simple host\n')
    .action(hostAction);
  simple.addCommand(
    withLogOptions(new Command('logs').description("print the registry's log"))
      .addHelpText('after', '\nExamples:\n  reposure simple logs --tail 20\n')
      .action(logsAction),
  );
  return simple;
}

function installCommand(): Command {
  return withImagePullOptions(withWaitOptions(new Command('install'), 'it works'))
    .description('install the simple registry in the namespace, or bring it up to date')
    .option('--tls', 'serve HTTPS, with a certificate from a CA made for it')
    .option('-a, --authentication', 'older name of --tls')
    .option('--login', 'ask for a login, with a random password')
    .option('--authorization', 'older name of --login')
    .option('--node-port [port]', 'also on a port of every node, so that nodes can pull')
    .option(
      '--storage <size>',
      'keep images on a volume of this size, e.g. 10Gi; else they go with the Pod',
    )
    .option('--image <image>', 'the image of Distribution')
    .addHelpText(
      'after',
      '\nExamples:\n  reposure simple install --wait\n  reposure simple install --tls --login --node-port --storage 10Gi --wait\n',
    )
    .action(installAction);
}

async function installAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<SimpleFlags>();
  const timeoutMs = parseDurationMs(flags.timeout);
  const nodePort = parseNodePort(flags.nodePort);
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    const hosts = await installSimple(cluster, {
      namespace,
      tls: flags.tls ?? flags.authentication ?? false,
      login: flags.login ?? flags.authorization ?? false,
      nodePort,
      storage: flags.storage,
      image: flags.image,
      imagePullPolicy: flags.imagePullPolicy,
      imagePullSecrets: flags.imagePullSecret,
      wait: flags.wait,
      timeoutMs,
      log,
      signal,
    });
    const state = flags.wait ? 'ready' : 'applied';
    await print(format, {
      value: { namespace, deployment: names.simple, state, ...hosts },
      names: [`deployment.apps/${names.simple}`],
      text: [
        `Simple registry ${state} in namespace "${namespace}"`,
        `Pods push to ${hosts.pushHost}`,
        hosts.pullHost
          ? `Nodes pull from ${hosts.pullHost}`
          : 'Nodes have no way to it; --node-port opens one',
      ].join('\n'),
    });
  });
}

async function uninstallAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<SimpleFlags>();
  const timeoutMs = parseDurationMs(flags.timeout);
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    const { wait, purge } = flags;
    await uninstallSimple(cluster, { namespace, wait, purge, timeoutMs, log, signal });
    await print(format, {
      value: { namespace, deployment: names.simple, state: 'removed' },
      names: [`deployment.apps/${names.simple}`],
      text: `Simple registry removed from namespace "${namespace}"`,
    });
  });
}

async function hostAction(_: unknown, command: Command): Promise<void> {
  await withCluster(command.optsWithGlobals(), async ({ cluster, namespace, format }) => {
    const hosts = await simpleHosts(cluster, namespace);
    const host = hosts.pullHost ?? hosts.pushHost;
    await print(format, { value: { host, ...hosts }, names: [host], text: host });
  });
}

async function logsAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalOptions & LogFlags>();
  await withCluster(flags, (environment) => printDeploymentLogs(environment, names.simple, flags));
}

function parseNodePort(given: true | string | undefined): boolean | number {
  if (given === undefined || given === true) return given ?? false;
  const port = Number(given);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new InputError(
      `Cannot use node port "${given}": want a number, in most clusters 30000 to 32767`,
    );
  }
  return port;
}
