import { explain, InputError, version } from '@reposure/core';
import { Command, CommanderError, Option } from 'commander';

import { ExitStatusError } from './exit-status.ts';
import { InterruptedError } from './interruption.ts';
import { StandardOutputError } from './standard-output.ts';

/** Loaded where they are needed only: to load them all takes longer than most of them run. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  operator: async () => (await import('./commands/operator.ts')).operatorCommand(),
  simple: async () => (await import('./commands/simple.ts')).simpleCommand(),
  registry: async () => (await import('./commands/registry.ts')).registryCommand(),
  image: async () => (await import('./commands/image.ts')).imageCommand(),
  bridge: async () => (await import('./commands/bridge.ts')).bridgeCommand(),
  artifact: async () => (await import('./commands/artifact.ts')).artifactCommand(),
  bundle: async () => (await import('./commands/bundle.ts')).bundleCommand(),
  result: async () => (await import('./commands/result.ts')).resultCommand(),
  deploy: async () => (await import('./commands/deploy.ts')).deployCommand(),
  local: async () => (await import('./commands/local.ts')).localCommand(),
  try: async () => (await import('./commands/try.ts')).tryCommand(),
  version: async () => (await import('./commands/version.ts')).versionCommand(),
  completion: async () => (await import('./commands/completion.ts')).completionCommand(),
};

/**
 * The command line.
 *
 * @param only The one command that it is for, if that is known; all of them otherwise.
 */
export async function program(name = 'reposure', only?: string): Promise<Command> {
  const root = new Command(name)
    .description('Images in and out of registries that only a Kubernetes API can reach')
    .version(version, '--version')
    .option('-n, --namespace <namespace>', "namespace; the kubeconfig context's own by default")
    .option('-k, --kubeconfig <file>', 'kubeconfig; $KUBECONFIG or ~/.kube/config by default')
    .option('-x, --context <name>', 'context of the kubeconfig')
    .addOption(new Option('-o, --output <format>', 'print the result as json, yaml or name'))
    .option('-v, --verbose', 'say more on standard error')
    .addHelpText('after', rootExamples);
  const isKnown = only !== undefined && Object.hasOwn(commands, only);
  const makers = Object.entries(commands).filter(([each]) => !isKnown || each === only);
  for (const command of await Promise.all(makers.map(([, make]) => make())))
    root.addCommand(command);
  for (const command of allOf(root)) {
    command
      .exitOverride()
      .showHelpAfterError('(--help shows what there is)')
      .configureHelp({ showGlobalOptions: true });
  }
  return root;
}

const rootExamples = `
Examples:
  reposure try                                              the whole job, on this machine, without a cluster
  reposure operator install --wait
  reposure simple install --node-port --wait
  reposure registry create default --provider=simple --wait
  reposure image push default team/app:1.2.3 app.tar
  reposure image pull default team/app:1.2.3 --to oci:app
  reposure deploy -f k8s/ --image app=HOST/team/app@sha256:… --rollback
`;

/**
 * Runs the command line.
 *
 * @returns The exit status: 0 done, 1 failed, 2 wrong usage, 128 + N ended by signal N; of `bridge exec`, its command's.
 */
export async function run(name: string, words: readonly string[]): Promise<number> {
  // Whoever writes is told by the write itself; without a listener the event ends the process.
  process.stdout.on('error', () => {});
  try {
    const [first] = words;
    // Completion has to know everything.
    const only = first === 'completion' ? undefined : first;
    // kubectl shows a plugin's help under the name that the person typed.
    const root = await program(name === 'kubectl-reposure' ? 'kubectl reposure' : 'reposure', only);
    await root.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    return exitStatusOf(error);
  }
}

function exitStatusOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has printed itself
  if (error instanceof ExitStatusError) return error.status;
  // 128 + SIGPIPE, as of a program that did not catch it.
  if (error instanceof StandardOutputError && error.isClosed) return 141;
  process.stderr.write(`Error: ${explain(error)}\n`);
  const interrupted =
    error instanceof Error && error.cause instanceof InterruptedError ? error.cause : error;
  if (interrupted instanceof InterruptedError) {
    return { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[interrupted.signalName];
  }
  return error instanceof InputError ? 2 : 1;
}

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}
