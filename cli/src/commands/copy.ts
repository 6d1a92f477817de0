import { Command, Option } from 'commander';

import { overwriteOption } from '../overwrite.ts';
import { imageResultNames, resultOption } from '../results.ts';
import { withCommand } from './lazily.ts';
import { many, withTransferOptions } from './transfer-options.ts';

/** `image copy`: from one registry to another, or inside one. */
export function copyCommand(): Command {
  return withTransferOptions(new Command('copy'))
    .description('copy an image, with its signatures, inside a registry or to another one')
    .argument('<registry>', 'name of the Registry resource')
    .argument('<source>', '[repository/]name[:tag][@digest] in it, or docker://HOST/NAME…')
    .argument('<target>', '[repository/]name[:tag] in it, or docker://HOST/NAME[:tag]')
    .argument('[tags...]', 'more tags for the same image')
    .option('--to-registry <name>', 'the target is in this Registry; <registry> has the source')
    .option('--to-namespace <namespace>', "that Registry's namespace")
    .option('--to-kubeconfig <file>', 'that of its cluster, if it is another one')
    .option('--to-context <name>', 'the context for it')
    .addOption(toRouteOption())
    .option('-t, --tag <tag>', 'one more tag for the same image; may be repeated', many)
    .option('--platform <platform>', 'only this one of an index; may be repeated', many)
    .option('--expect-digest <digest>', 'write nothing unless the source is this')
    .option('--no-referrers', 'leave signatures and whatever else refers to the image behind')
    .option('--src-insecure', 'plain HTTP to the source docker://…, login included')
    .option('--src-ca <file>', 'trust these certificates (PEM), too, of the source docker://…')
    .option('--to-insecure', 'plain HTTP to the target docker://…, login included')
    .option('--to-ca <file>', 'trust these certificates (PEM), too, of the target docker://…')
    .option('--no-state', 'remember nothing of this copy, and use nothing of earlier ones')
    .addOption(overwriteOption())
    .addOption(resultOption(imageResultNames))
    .option('--dry-run', 'say what would travel, and write nothing')
    .addHelpText('after', copyHelp)
    .action(withCommand(async () => (await import('../image/copy.ts')).copyAction));
}

function toRouteOption(): Option {
  return new Option('--to-route <route>', 'the way in to the Registry of --to-…, as --route')
    .choices(['auto', 'direct', 'proxy', 'exec'])
    .default('auto');
}

const copyHelp = `
Digests stay as they are, and the tags come last. What refers to the image and its platforms is
copied, too: by the referrers API or its fallback tag, and by cosign's tags .sig, .att and .sbom. If
any of it cannot be copied, the copy fails before the tag is written; --overwrite=never keeps
cosign's tags as well. Inside one registry blobs are mounted; otherwise they pass through this
machine, verified, and are not stored.

For docker://… the logins are those of REGISTRY_AUTH_FILE, or of podman login and docker login.

Examples:
  reposure image copy default team/app:1.2.3 team/app:prod
  reposure image copy default team/app:1.2.3 team/app:prod --expect-digest sha256:…
  reposure image copy default team/app:1.2.3 team/app:1.2.3 --to-registry prod --to-context prod
  reposure image copy default docker://ghcr.io/team/app:1.2.3 team/app:1.2.3 --platform linux/amd64
  reposure image copy default team/app@sha256:… docker://docker.io/team/app:1.2.3
`;
