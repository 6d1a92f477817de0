import { Command, Option } from 'commander';

import { overwriteOption } from '../overwrite.ts';
import { imageResultNames, resultOption } from '../results.ts';
import { copyCommand } from './copy.ts';
import { lazily, withCommand } from './lazily.ts';
import { count, many, withRouteOptions, withTransferOptions } from './transfer-options.ts';

/** `image push|pull|copy|list|delete`: images, through the way in to a registry. */
export function imageCommand(): Command {
  const image = new Command('image').description('push, pull, copy, list and delete images');
  for (const make of [pushCommand, pullCommand, copyCommand, listCommand, deleteCommand]) {
    image.addCommand(withRouteOptions(make()));
  }
  return image;
}

function pushCommand(): Command {
  return withTransferOptions(new Command('push'))
    .description('push an image, a file or a folder')
    .argument('<registry>', 'name of the Registry resource')
    .argument(
      '<image>',
      '[repository/]name[:tag]; repository "library" and tag "latest" by default',
    )
    .argument('<source>', 'what to push; "-" reads an archive from standard input')
    .argument('[tags...]', 'more tags for the same image')
    .addOption(resultOption(imageResultNames))
    .option('-t, --tag <tag>', 'one more tag for the same image; may be repeated', many)
    .option(
      '--platform <platform>',
      'only this one of an index, e.g. linux/arm64; may be repeated; "all" is the default',
      many,
    )
    .option('--from-name <name>', 'which image of an archive that holds several')
    .option(
      '--cache-from <image>',
      'an image of the same registry that may have some of the layers; may be repeated',
      many,
    )
    .addOption(compressionOption())
    .option('--compression-level <n>', '1 to 9 for gzip (6), 1 to 19 for zstd (3)', count)
    .option('--annotation <key=value>', 'put on the manifest or index; may be repeated', many)
    .option('--artifact-type <type>', 'what the manifest says the artifact is')
    .option('--src-insecure', 'plain HTTP to the source docker://…, login included')
    .option('--src-ca <file>', 'trust these certificates (PEM), too, of the source docker://…')
    .option('--no-state', 'remember nothing of this push, and use nothing of earlier ones')
    .addOption(overwriteOption())
    .option('--dry-run', 'say where each blob would come from, and send nothing')
    .addHelpText('after', pushHelp)
    .action(withCommand(async () => (await import('../image/push.ts')).pushAction));
}

function compressionOption(): Option {
  return new Option(
    '--compression <name>',
    'how layers travel that lie here unpacked; gzip by default',
  ).choices(['gzip', 'zstd', 'none']);
}

const pushHelp = `
Sources:
  PATH                          told by its content: an OCI layout (folder or tar), an archive of
                                docker save or podman save (also gzip or zstd), or any other file
                                or folder, which becomes an image that a Pod can mount
  oci:DIR[:REF]  oci-archive:FILE[:REF]  docker-archive:FILE[:NAME]  file:PATH  -
  docker-daemon:NAME[:TAG]      of the Docker daemon of this machine
  containers-storage:NAME       of podman and buildah on this machine
  docker://HOST/NAME[:TAG]      of a registry that is reached from here

Layers of archives and daemons are neither packed nor sent if the registry has the same content:
this machine remembers what it has sent, and looks at the image that the tag names so far and at
those of --cache-from. What another repository of the registry has is mounted from there.

Examples:
  reposure image push default team/app:1.2.3 app.tar
  podman save app | reposure image push default team/app -
  reposure image push default team/app:1.2.3 oci:build --tag 1.2 --tag latest
  reposure image push default team/app:1.2.4 docker-daemon:app --cache-from team/app:1.2.3
  reposure image push default team/site:7 ./public -o json
  reposure image push default team/app:1.2.3 oci:build 1.2 latest --result digest=/tekton/results/IMAGE_DIGEST
`;

function pullCommand(): Command {
  return withTransferOptions(new Command('pull'))
    .description('pull an image to a layout, an archive, a folder or standard output')
    .argument('<registry>', 'name of the Registry resource')
    .argument('<image>', '[repository/]name[:tag][@digest]')
    .option(
      '--to <target>',
      'oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon:NAME, containers-storage:NAME or "-"; with --unpack, a folder',
    )
    .option(
      '-u, --unpack',
      'unpack: a single file to standard output, anything to the folder of --to',
    )
    .option('--platform <platform>', 'only this one of an index, e.g. linux/arm64')
    .addOption(resultOption(imageResultNames))
    .addHelpText(
      'after',
      `
Without --to, a docker archive goes to standard output. A docker archive holds one platform: of an
index, this machine's unless --platform names another; a layout or an OCI archive holds them all.

Examples:
  reposure image pull default team/app:1.2.3 --to oci:app
  reposure image pull default team/app:1.2.3 --to docker-archive:app.tar --platform linux/amd64
  reposure image pull default team/app:1.2.3 --to docker-daemon:app:1.2.3
  reposure image pull default team/app:1.2.3 | podman load
  reposure image pull default team/hello --unpack
  reposure image pull default team/site:7 --unpack --to ./public
`,
    )
    .action(lazily(async () => (await import('../image/pull.ts')).pullAction));
}

function listCommand(): Command {
  return new Command('list')
    .alias('ls')
    .description('list images by tag')
    .argument('<registry>', 'name of the Registry resource')
    .argument('[repository]', 'only this one')
    .addHelpText(
      'after',
      '\nExamples:\n  reposure image list default\n  reposure image list default team/app -o json\n',
    )
    .action(lazily(async () => (await import('../image/list.ts')).listAction));
}

function deleteCommand(): Command {
  return new Command('delete')
    .alias('rm')
    .description('remove a tag, and only it; with a digest, a manifest')
    .argument('<registry>', 'name of the Registry resource')
    .argument('[image]', '[repository/]name[:tag] or [repository/]name@digest')
    .option('--digest', 'remove the manifest that the tag names, with all of its tags')
    .option('-a, --all', 'remove every tag of the registry')
    .addHelpText(
      'after',
      '\nExamples:\n  reposure image delete default team/app:1.2.3\n  reposure image delete default team/app@sha256:…\n  reposure image delete default --all\n',
    )
    .action(lazily(async () => (await import('../image/delete.ts')).deleteAction));
}
