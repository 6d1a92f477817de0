import { Command, InvalidArgumentError, Option } from 'commander';

import { deleteAction } from '../image/delete.ts';
import { listAction } from '../image/list.ts';
import { pullAction } from '../image/pull.ts';
import { pushAction } from '../image/push.ts';

/** `image push|pull|list|delete`: images, through the way in to a registry. */
export function imageCommand(): Command {
  const image = new Command('image').description('push, pull, list and delete images');
  for (const make of [pushCommand, pullCommand, listCommand, deleteCommand]) {
    image.addCommand(make().addOption(routeOption()).addOption(protocolOption()));
  }
  return image;
}

function routeOption(): Option {
  return new Option('--route <route>', 'the way in to the registry')
    .choices(['auto', 'direct', 'exec'])
    .default('auto');
}

// For whoever looks for a fault in a proxy on the way, and for the tests.
function protocolOption(): Option {
  return new Option('--exec-protocol <name>', 'the only WebSocket subprotocol to offer')
    .choices(['v5.channel.k8s.io', 'v4.channel.k8s.io'])
    .hideHelp();
}

function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Want a whole number, 0 or more.');
  return Number(text);
}

function atLeastOne(text: string): number {
  const number = count(text);
  if (number === 0) throw new InvalidArgumentError('Want a whole number, 1 or more.');
  return number;
}

function many(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

function transferOptions(command: Command): Command {
  return command
    .option('--retries <n>', 'tries after the first one, for each blob and manifest', count, 5)
    .option('--concurrency <n>', 'blobs that travel at the same time', atLeastOne, 4)
    .option('--timeout <duration>', 'give up after so long, e.g. 90s or 10m; never by default');
}

function pushCommand(): Command {
  return transferOptions(new Command('push'))
    .description('push an image, a file or a folder')
    .argument('<registry>', 'name of the Registry resource')
    .argument(
      '<image>',
      '[repository/]name[:tag]; repository "library" and tag "latest" by default',
    )
    .argument('<source>', 'what to push; "-" reads an archive from standard input')
    .option('-t, --tag <tag>', 'one more tag for the same image; may be repeated', many)
    .option(
      '--platform <platform>',
      'only this one of an index, e.g. linux/arm64; may be repeated',
      many,
    )
    .option('--from-name <name>', 'which image of an archive that holds several')
    .option('--dry-run', 'say what would travel, and send nothing')
    .addHelpText(
      'after',
      `
Sources:
  PATH                          told by its content: an OCI layout (folder or tar), an archive of
                                docker save or podman save (also gzip or zstd), or any other file
                                or folder, which becomes an image that a Pod can mount
  oci:DIR[:REF]  oci-archive:FILE[:REF]  docker-archive:FILE[:NAME]  file:PATH  -

Examples:
  reposure image push default team/app:1.2.3 app.tar
  podman save app | reposure image push default team/app -
  reposure image push default team/app:1.2.3 oci:build --tag 1.2 --tag latest
  reposure image push default team/site:7 ./public -o json
`,
    )
    .action(function (this: Command) {
      return pushAction(this);
    });
}

function pullCommand(): Command {
  return transferOptions(new Command('pull'))
    .description('pull an image to a layout, an archive, a folder or standard output')
    .argument('<registry>', 'name of the Registry resource')
    .argument('<image>', '[repository/]name[:tag][@digest]')
    .option(
      '--to <target>',
      'oci:DIR, oci-archive:FILE, docker-archive:FILE or "-"; with --unpack, a folder',
    )
    .option(
      '-u, --unpack',
      'unpack: a single file to standard output, anything to the folder of --to',
    )
    .option('--platform <platform>', 'only this one of an index, e.g. linux/arm64')
    .addHelpText(
      'after',
      `
Without --to, a docker archive goes to standard output. A docker archive holds one platform: of an
index, this machine's unless --platform names another; a layout or an OCI archive holds them all.

Examples:
  reposure image pull default team/app:1.2.3 --to oci:app
  reposure image pull default team/app:1.2.3 --to docker-archive:app.tar --platform linux/amd64
  reposure image pull default team/app:1.2.3 | podman load
  reposure image pull default team/hello --unpack
  reposure image pull default team/site:7 --unpack --to ./public
`,
    )
    .action(pullAction);
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
    .action(listAction);
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
    .action(deleteAction);
}
