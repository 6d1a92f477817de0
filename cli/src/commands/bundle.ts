import { Command } from 'commander';

import { imageResultNames, resultOption } from '../results.ts';
import { withCommand } from './lazily.ts';
import { withRouteOptions, withTransferOptions } from './transfer-options.ts';

/** `bundle push`: Tekton's resources as an image. */
export function bundleCommand(): Command {
  return new Command('bundle')
    .description('Tekton bundles: Tasks, StepActions and Pipelines as an image')
    .addCommand(withRouteOptions(pushCommand()));
}

function pushCommand(): Command {
  return withTransferOptions(new Command('push'))
    .description("push resources for Tekton's bundles resolver; equal ones make an equal digest")
    .argument('<registry>', 'name of the Registry resource')
    .argument('<image>', '[repository/]name[:tag]')
    .argument('<file...>', 'YAML or JSON with resources of tekton.dev, several to a file')
    .addOption(resultOption(imageResultNames))
    .addHelpText('after', pushHelp)
    .action(withCommand(async () => (await import('../bundle/push.ts')).pushAction));
}

const pushHelp = `
Examples:
  reposure bundle push default team/tasks:1 tekton-tasks/task/*/*.yaml
  reposure bundle push default team/tasks:1 task.yaml pipeline.yaml -o name
`;
