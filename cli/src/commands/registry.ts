import { providers } from '@reposure/core/providers';
import { Argument, Command, InvalidArgumentError } from 'commander';

import { createAction } from '../registry/create.ts';
import { deleteAction } from '../registry/delete.ts';
import { describeAction } from '../registry/describe.ts';
import { infoAction, infoFields } from '../registry/info.ts';
import { listAction } from '../registry/list.ts';
import { logsAction } from '../registry/logs.ts';
import { pullSecretAction } from '../registry/pull-secret.ts';
import { roleAction } from '../registry/role.ts';
import { rotateKeysAction } from '../registry/rotate-keys.ts';
import { withLogOptions } from './logs.ts';
import { many } from './transfer-options.ts';
import { withWaitOptions } from './waiting.ts';

/** `registry create|delete|list|describe|info|logs|pull-secret|role|rotate-keys`: the Registry resources. */
export function registryCommand(): Command {
  const registry = new Command('registry').description(
    'the Registry resources: which registries there are',
  );
  registry.addCommand(createCommand());
  registry.addCommand(
    withWaitOptions(
      named('delete', 'remove a Registry and its surrogate; the registry and its images stay'),
      'it is gone',
    )
      .addHelpText('after', '\nExamples:\n  reposure registry delete default --wait\n')
      .action(deleteAction),
  );
  registry
    .command('list')
    .alias('ls')
    .description('list the Registries of the namespace')
    .option('-A, --all-namespaces', 'of every namespace')
    .addHelpText('after', '\nExamples:\n  reposure registry list -A -o json\n')
    .action(listAction);
  registry.addCommand(
    named('describe', 'say how a Registry is, and what keeps it from being ready')
      .addHelpText('after', '\nExamples:\n  reposure registry describe default\n')
      .action(describeAction),
  );
  registry.addCommand(
    named('info', 'print one thing about a Registry')
      .addArgument(new Argument('<field>', 'what to print').choices(infoFields))
      .addHelpText('after', infoHelp)
      .action(infoAction),
  );
  registry.addCommand(
    withLogOptions(named('logs', "print the surrogate's log"))
      .addHelpText('after', '\nExamples:\n  reposure registry logs default --follow\n')
      .action(logsAction),
  );
  registry.addCommand(pullSecretCommand());
  registry.addCommand(roleCommand());
  registry.addCommand(
    named(
      'rotate-keys',
      'give the proxy route new keys; the former ones count until the next rotation, so that nothing breaks off',
    )
      .addHelpText('after', rotateKeysHelp)
      .action(rotateKeysAction),
  );
  return registry;
}

function named(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<name>', 'name of the Registry resource');
}

function pullSecretCommand(): Command {
  return named('pull-secret', 'give Pods the login with which their node pulls from this Registry')
    .option(
      '--service-account <account>',
      "name the Secret in this account's imagePullSecrets; may be repeated",
      many,
    )
    .option('--for-namespace <namespace>', "the Pods' namespace; the Registry's own by default")
    .option('--secret <secret>', 'its name; reposure-pull-NAME by default')
    .option('--remove', 'take it back: out of the accounts, then the Secret')
    .addHelpText('after', pullSecretHelp)
    .action(pullSecretAction);
}

const pullSecretHelp = `
Needs, for yourself: get on the Registry and its login Secret; get, create and patch on Secrets, and
get and update on ServiceAccounts, of the Pods' namespace. Pods that are made from then on pull with it.
Whoever may read Secrets there reads the login. Run it again when the login has changed.

Examples:
  reposure registry pull-secret default --service-account default
  reposure registry pull-secret default -n tools --for-namespace shop --service-account default --service-account web
  reposure registry pull-secret default --for-namespace shop --service-account default --remove
`;

function roleCommand(): Command {
  return named(
    'role',
    'print the Roles that let somebody push and pull through this Registry and nothing else',
  )
    .option('--push', "push, pull and delete through the API server's proxy")
    .option('--pull', "pull through the API server's proxy")
    .option('--exec', "push, pull and delete by exec into the surrogate's Pod")
    .option('--direct', "push, pull and delete from Pods of the registry's own cluster")
    .addHelpText('after', roleHelp)
    .action(roleAction);
}

const roleHelp = `
Without an option: --push and --exec, which is all that --route=auto may use from outside the cluster.
The Role for the proxy is the narrower one: it allows no exec, and the one of --pull no push. --direct is
for Pods, such as those of a pipeline: it reads the Secrets that the Registry names, and needs no surrogate.

Examples:
  reposure registry role default | kubectl apply -f -
  reposure registry role default --pull | kubectl apply -f -
  reposure registry role default --direct | kubectl apply -f -
  kubectl create rolebinding ci --serviceaccount=ci:builder --role="$(reposure registry role default --push -o name | cut -d/ -f2)"
`;

const rotateKeysHelp = `
Wants the right to get and update the Secrets with the keys. To end a key at once, delete its
Secret: the operator makes another within half a minute.

Examples:
  reposure registry rotate-keys default
  kubectl delete secret reposure-surrogate-default-write-key
`;

const infoHelp = `
Fields:
  host         by which nodes pull; by which Pods push where no other is known
  push-host    by which Pods of the cluster push
  username, password, token    of the registry's login; wants the right to read its Secret
  cert         the CA certificate of the registry

Examples:
  reposure registry info default host
`;

function createCommand(): Command {
  return withWaitOptions(new Command('create'), 'images can be pushed')
    .description('create a Registry, or make the one that is there what is asked for')
    .argument('<name>', 'name of the Registry resource')
    .option('--provider <provider>', 'what runs the registry, see below')
    .option('--host <host>', 'a registry by its host[:port]')
    .option('--service <service>', 'a registry by its Service')
    .option(
      '--service-namespace <namespace>',
      "the Service's namespace; the Registry's own by default",
    )
    .option('--port <port>', "the Service's port (default: 5000)", portNumber)
    .option('--tls-secret <secret>', 'Secret with the CA certificate of the registry')
    .option(
      '--tls-secret-key <key>',
      'key of the certificate in it; ca.crt, else tls.crt, by default',
    )
    .option('--login-secret <secret>', 'Secret with the login at the registry')
    .option('--authentication-secret <secret>', 'older name of --tls-secret')
    .option('--authentication-secret-data-key <key>', 'older name of --tls-secret-key')
    .option('--authorization-secret <secret>', 'older name of --login-secret')
    .option(
      '--insecure',
      'the registry speaks plain HTTP; everybody on the way can read and change what goes by',
    )
    .option('--pull-host <host>', 'host[:port] by which nodes pull, where it is another')
    .option('--image <image>', "the surrogate's image")
    .addHelpText('after', () => providersHelp())
    .addHelpText(
      'after',
      `
Examples:
  reposure registry create default --provider=simple --wait
  reposure registry create default --provider=auto --wait
  reposure registry create ours --provider=harbor --host harbor.example.com --login-secret robot
  reposure registry create team --host registry.example.com --login-secret team-login --wait
  reposure registry create build --service registry --service-namespace tools --tls-secret registry-ca
`,
    )
    .action(createAction);
}

function providersHelp(): string {
  return `
Providers that are found by themselves:
${providerLines(false)}
Providers that want --host or --service:
${providerLines(true)}
Without --provider, ghcr.io, quay.io and the clouds are told by their host names.`;
}

function providerLines(isLocated: boolean): string {
  return providers
    .filter(({ wantsEndpoint = false }) => wantsEndpoint === isLocated)
    .map(({ name, summary }) => `  ${name.padEnd(15)} ${summary}\n`)
    .join('');
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new InvalidArgumentError('Want a port, 1 to 65535.');
  }
  return port;
}
