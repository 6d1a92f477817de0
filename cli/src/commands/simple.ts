import { names } from '@reposure/core/resource';
import { Command, InvalidArgumentError } from 'commander';

import { withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { gcAction } from '../simple/gc.ts';
import { installAction } from '../simple/install.ts';
import { renewAction } from '../simple/renew.ts';
import { hostAction, statusAction } from '../simple/status.ts';
import { uninstallAction } from '../simple/uninstall.ts';
import { userCommand } from '../simple/user.ts';
import { withImagePullOptions } from './image-pull-options.ts';
import type { LogFlags } from './logs.ts';
import { withLogOptions } from './logs.ts';
import { printDeploymentLogs } from './operator.ts';
import { withWaitOptions } from './waiting.ts';

/** `simple install|uninstall|status|host|user|renew|gc|logs` */
export function simpleCommand(): Command {
  const simple = new Command('simple').description(
    'a registry of our own in the cluster: Distribution',
  );
  simple.addCommand(installCommand());
  withWaitOptions(simple.command('uninstall'), 'its Pods are gone')
    .description(
      'remove the simple registry and its Secrets; images on a volume or in a bucket stay',
    )
    .option('--purge', 'also the volume with the images')
    .addHelpText('after', '\nExamples:\n  reposure simple uninstall --wait\n')
    .action(uninstallAction);
  simple
    .command('status')
    .alias('info')
    .description('say how it was installed and how it is: hosts, storage, certificates, users')
    .addHelpText('after', '\nExamples:\n  reposure simple status -o json\n')
    .action(statusAction);
  simple
    .command('host')
    .description('print the host by which nodes pull; by which Pods push where there is no other')
    .addHelpText('after', '\nExamples:\n  reposure simple host\n')
    .action(hostAction);
  simple.addCommand(userCommand());
  simple.addCommand(renewCommand());
  simple.addCommand(gcCommand());
  simple.addCommand(
    withLogOptions(new Command('logs').description("print the registry's log"))
      .addHelpText('after', '\nExamples:\n  reposure simple logs --tail 20\n')
      .action(logsAction),
  );
  return simple;
}

function installCommand(): Command {
  const command = withWaitOptions(new Command('install'), 'it works').description(
    'install the simple registry in the namespace, or bring it to what is asked for',
  );
  withImagePullOptions(withStorageOptions(withSecurityOptions(command)));
  return command
    .option('--node-port [port]', 'also on a port of every node, so that nodes can pull')
    .option('--ingress-host <host>', 'also by an Ingress, under this name')
    .option('--ingress-class <class>', "of the Ingress; the cluster's own by default")
    .option('--ingress-tls-secret <secret>', 'Secret with the certificate for that name')
    .option('--network-policy', 'let nobody connect but surrogates, and Pods labelled for it')
    .option('--allow-namespace <name...>', "whose Pods may, too, e.g. the ingress controller's")
    .option('--image <image>', 'the image of Distribution, 2.8 or later')
    .addHelpText('after', installHelp)
    .action(installAction);
}

function withSecurityOptions(command: Command): Command {
  return command
    .option(
      '--tls [source]',
      'serve HTTPS: by a CA that is made and renewed here, or by cert-manager[:ISSUER]',
    )
    .option('-a, --authentication', 'older name of --tls')
    .option('--tls-secret <secret>', 'serve HTTPS with tls.crt and tls.key of a Secret of yours')
    .option('--login', 'ask for a login, with a random password')
    .option('--authorization', 'older name of --login');
}

function withStorageOptions(command: Command): Command {
  return command
    .option('--storage <size>', 'keep images on a volume of this size; else they go with the Pod')
    .option('--storage-class <class>', "of the volume; the cluster's own by default")
    .option('--size-limit <size>', 'without a volume: the Pod ends beyond it (default: 10Gi)')
    .option('--s3-bucket <bucket>', 'keep images in a bucket, which is there already')
    .option('--s3-endpoint <url>', "where S3 is; AWS's own by default")
    .option('--s3-region <region>', 'of the bucket (default: us-east-1)')
    .option('--s3-secret <secret>', 'Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
    .option('--s3-prefix <prefix>', 'of every key in the bucket')
    .option('--replicas <n>', 'Pods that serve; more than one needs a bucket', replicaCount);
}

const installHelp = `
What is asked for is all that there is: an option that is left out the next time is taken back.
With --storage or --s3-bucket, another certificate or image comes without a moment of silence;
without, the Pod is replaced and its images go.

Examples:
  reposure simple install --wait
  reposure simple install --tls --login --node-port --storage 10Gi --wait
  reposure simple install --tls=cert-manager:ClusterIssuer/ca --storage 10Gi
  reposure simple install --tls --s3-bucket images --s3-endpoint https://minio.tools:9000 --s3-secret minio --replicas 2
  reposure simple install --tls --ingress-host registry.example.com --network-policy --allow-namespace ingress-nginx
`;

function replicaCount(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text))
    throw new InvalidArgumentError('Want a whole number, 1 or more.');
  return Number(text);
}

function renewCommand(): Command {
  return withWaitOptions(new Command('renew'), 'nothing that is old is served or trusted any more')
    .description('make another certificate now, although it is not due')
    .option('--ca', 'another CA, too: trusted first, then used, then the former one is dropped')
    .option('--settle <duration>', 'how long clients are given to learn of a CA', '10m')
    .addHelpText('after', renewHelp)
    .action(renewAction);
}

const renewHelp = `
Certificates and CA are renewed by the operator after two thirds of their life. With --wait, every
step is taken here, and --timeout has to cover twice --settle; without, the operator goes on.

Examples:
  reposure simple renew --wait
  reposure simple renew --ca --settle 3m --timeout 15m --wait
`;

function gcCommand(): Command {
  return new Command('gc')
    .description('delete what no image needs any more; the registry is read-only meanwhile')
    .option('--delete-untagged', 'also manifests without a tag; signatures have none')
    .option('--dry-run', 'only say how much that would be')
    .option('--timeout <duration>', 'how long it may take, e.g. 90s or 5m', '30m')
    .addHelpText('after', gcHelp)
    .action(gcAction);
}

const gcHelp = `
Pushes are refused until it is done, pulls are served. It returns when the registry takes pushes
again.

Examples:
  reposure simple gc --dry-run
  reposure simple gc --delete-untagged
`;

async function logsAction(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<GlobalOptions & LogFlags>();
  await withCluster(flags, (environment) => printDeploymentLogs(environment, names.simple, flags));
}
