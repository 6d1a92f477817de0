import { version } from '@reposure/core';
import { Command } from 'commander';

import type { GlobalOptions } from '../environment.ts';
import { parseOutputFormat, print } from '../output.ts';

/** `version`: of this program; works without a cluster. */
export function versionCommand(): Command {
  return new Command('version')
    .description('print the version of this program')
    .addHelpText('after', '\nExamples:\n  reposure version -o json\n')
    .action(async (_, command: Command) => {
      const { output } = command.optsWithGlobals<GlobalOptions>();
      await print(parseOutputFormat(output), {
        value: { version, node: process.version, platform: `${process.platform}/${process.arch}` },
        names: [version],
        text: `reposure ${version} (Node ${process.version}, ${process.platform}/${process.arch})`,
      });
    });
}
