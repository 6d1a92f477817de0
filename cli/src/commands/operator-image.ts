import { Command } from 'commander';

import { lazily, withCommand } from './lazily.ts';
import { withRouteOptions, withTransferOptions } from './transfer-options.ts';

/** `operator image save|load`: our image, for clusters that reach nobody outside. */
export function operatorImageCommand(): Command {
  const image = new Command('image').description(
    'the image of operator and surrogates, for clusters that reach no registry outside',
  );
  image.addCommand(saveCommand());
  image.addCommand(withRouteOptions(loadCommand()));
  return image;
}

function saveCommand(): Command {
  return new Command('save')
    .description("write the image to an archive; any other image, too, such as the registry's")
    .argument(
      '[source]',
      "docker://HOST/NAME…, or whatever image push takes; this version's by default",
    )
    .requiredOption('--to <target>', 'oci-archive:FILE, docker-archive:FILE, oci:DIR, or -')
    .option('--platform <platform>', 'only this one, e.g. linux/arm64; a docker archive holds one')
    .option('--src-insecure', 'plain HTTP to the source docker://…, login included')
    .option('--src-ca <file>', 'trust these certificates (PEM), too, of the source docker://…')
    .addHelpText('after', saveHelp)
    .action(lazily(async () => (await import('../operator/image-save.ts')).saveAction));
}

const saveHelp = `
npm run image builds the same image from a checkout, without any registry.

Examples:
  reposure operator image save --to oci-archive:reposure.tar
  reposure operator image save --to docker-archive:reposure.tar --platform linux/amd64
  reposure operator image save docker://docker.io/library/registry:3 --to oci-archive:registry.tar
`;

function loadCommand(): Command {
  return withTransferOptions(new Command('load'))
    .description('push the image from an archive to where nodes pull, and say how to install it')
    .argument('<archive>', 'oci-archive:FILE, docker-archive:FILE, oci:DIR, or its path')
    .argument('<target>', 'name of a Registry resource, or docker://HOST/NAME[:TAG]')
    .argument(
      '[image]',
      'its name in that Registry; reposure/reposure with this version by default',
    )
    .option('--to-insecure', 'plain HTTP to the target docker://…, login included')
    .option('--to-ca <file>', 'trust these certificates (PEM), too, of the target docker://…')
    .addHelpText('after', loadHelp)
    .action(withCommand(async () => (await import('../operator/image-load.ts')).loadAction));
}

const loadHelp = `
A Registry has a way in once an operator runs: so it is for the next version, and for other namespaces
and clusters. The first image of a cluster without any registry is beyond the cluster's API, as some
image has to run in order to take it. Put it where the nodes pull already (docker://…), or on each of
them: ctr -n k8s.io images import, kind load image-archive, minikube image load, or k3s' folder
agent/images; then operator install --image-pull-policy=Never.

Examples:
  reposure operator image load reposure.tar docker://mirror.internal/tools/reposure:0.1.0
  reposure operator image load reposure.tar default
  reposure operator install --image="$(reposure operator image load reposure.tar default -o name)" --wait
`;
