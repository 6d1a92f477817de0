import { imagePullPolicies } from '@reposure/core/install';
import { Option } from 'commander';
import type { Command } from 'commander';

import { many } from './transfer-options.ts';

/** Adds how nodes come by the image of what is installed. */
export function withImagePullOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--image-pull-policy <policy>',
        "when nodes pull it; Kubernetes' own by default",
      ).choices(imagePullPolicies),
    )
    .option(
      '--image-pull-secret <secret>',
      'a Secret of the namespace that nodes pull it with; may be repeated',
      many,
    );
}
