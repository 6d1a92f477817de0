import { Command } from 'commander';

/** `try`: the whole job on this machine, on the embedded cluster. */
export function tryCommand(): Command {
  return new Command('try')
    .description('do the whole job on this machine, without a cluster, and show what happens')
    .option('--keep', 'leave the embedded cluster running, with a kubeconfig, until interrupted')
    .addHelpText(
      'after',
      `
A small Kubernetes API starts in this process; its Pods are local processes. Everything else is as
on a real cluster: the operator, a registry, its surrogate, and the exec stream through the API.

Examples:
  reposure try
  reposure try --keep
`,
    )
    .action(async (_, command: Command) => {
      const { tryAction } = await import('../local/try.ts');
      await tryAction(command);
    });
}
