import { NotFoundError, parseDurationMs } from '@reposure/core';
import { installOperator, uninstallOperator } from '@reposure/core/install';
import type { ImagePullPolicy } from '@reposure/core/install';
import { resourceTypes } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';
import { Command, InvalidArgumentError } from 'commander';

import { withCluster } from '../environment.ts';
import type { Environment, GlobalOptions } from '../environment.ts';
import { print } from '../output.ts';
import { withImagePullOptions } from './image-pull-options.ts';
import { printLogs, withLogOptions } from './logs.ts';
import type { LogFlags } from './logs.ts';
import { operatorImageCommand } from './operator-image.ts';
import { withWaitOptions } from './waiting.ts';
import type { WaitFlags } from './waiting.ts';

interface InstallFlags extends GlobalOptions, WaitFlags {
  readonly role?: string;
  readonly image?: string;
  readonly imagePullPolicy?: ImagePullPolicy;
  readonly imagePullSecret?: readonly string[];
  readonly replicas: number;
  readonly cluster?: true;
}

/** `operator install|uninstall|logs|image` */
export function operatorCommand(): Command {
  const operator = new Command('operator').description(
    'the operator, which makes a way in for every Registry of its namespace, or of all',
  );
  operator.addCommand(installCommand());
  withWaitOptions(operator.command('uninstall'), 'its Pods are gone')
    .description('remove the operator; Registries and their surrogates stay')
    .addHelpText('after', '\nExamples:\n  reposure operator uninstall --wait\n')
    .action(uninstallAction);
  operator.addCommand(
    withLogOptions(new Command('logs').description("print the operator's log"))
      .addHelpText('after', '\nExamples:\n  reposure operator logs --follow\n')
      .action(logsAction),
  );
  operator.addCommand(operatorImageCommand());
  return operator;
}

function installCommand(): Command {
  return withImagePullOptions(withWaitOptions(new Command('install'), 'it works'))
    .description('install the operator in the namespace, or bring it up to date')
    .option('-e, --role <clusterrole>', "also bind the operator's account to this ClusterRole")
    .option('--image <image>', 'the image of operator and surrogates; this version by default')
    .option('--replicas <n>', 'one works, the others stand by', replicaCount, 1)
    .option('--cluster', 'serve all namespaces but those that have an operator of their own')
    .addHelpText(
      'after',
      '\nExamples:\n  reposure operator install --wait\n  reposure operator install --role=view --wait\n  reposure operator install --cluster --replicas=2 --wait -n reposure-system\n',
    )
    .action(installAction);
}

function replicaCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Want a whole number, 0 or more.');
  return Number(text);
}

async function installAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<InstallFlags>();
  const timeoutMs = parseDurationMs(flags.timeout);
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    await installOperator(cluster, {
      namespace,
      image: flags.image,
      imagePullPolicy: flags.imagePullPolicy,
      imagePullSecrets: flags.imagePullSecret,
      role: flags.role,
      replicas: flags.replicas,
      allNamespaces: flags.cluster,
      wait: flags.wait,
      timeoutMs,
      log,
      signal,
    });
    const state = flags.wait ? 'ready' : 'applied';
    await print(format, {
      value: { namespace, deployment: names.operator, state },
      names: [`deployment.apps/${names.operator}`],
      text: `Operator ${state} in namespace "${namespace}"${flags.cluster ? ', for all namespaces' : ''}`,
    });
  });
}

async function uninstallAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<InstallFlags>();
  const timeoutMs = parseDurationMs(flags.timeout);
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    await uninstallOperator(cluster, { namespace, wait: flags.wait, timeoutMs, log, signal });
    await print(format, {
      value: { namespace, deployment: names.operator, state: 'removed' },
      names: [`deployment.apps/${names.operator}`],
      text: `Operator removed from namespace "${namespace}"`,
    });
  });
}

async function logsAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalOptions & LogFlags>();
  await withCluster(flags, (environment) =>
    printDeploymentLogs(environment, names.operator, flags),
  );
}

/** Prints the log of a Deployment's Pod. @throws {NotFoundError} if there is none. */
export async function printDeploymentLogs(
  environment: Environment,
  deployment: string,
  flags: LogFlags,
): Promise<void> {
  const { cluster, namespace, signal } = environment;
  const labelSelector = `app.kubernetes.io/name=${deployment}`;
  const { items } = await cluster.list(resourceTypes.Pod, { namespace, labelSelector, signal });
  const [pod] = items;
  if (!pod) {
    throw new NotFoundError(
      `Cannot show the log of ${deployment}: it has no Pod in namespace "${namespace}"; is it installed there?`,
    );
  }
  await printLogs(environment, pod.metadata.name, flags);
}
