import { Command } from 'commander';

import { emptyResult } from '../results.ts';
import { withCommand } from './lazily.ts';
import { withRouteOptions, withTransferOptions } from './transfer-options.ts';

/** `artifact create|use`: files on their way from one step of a pipeline to the next. */
export function artifactCommand(): Command {
  const artifact = new Command('artifact').description(
    'files from one task of a pipeline to the next, through the registry, by digest',
  );
  for (const make of [createCommand, useCommand]) artifact.addCommand(withRouteOptions(make()));
  return artifact;
}

function createCommand(): Command {
  return withTransferOptions(new Command('create'))
    .description('pack files and folders, push them, and write what they are called to files')
    .argument('<registry>', 'name of the Registry resource')
    .argument('<image>', '[repository/]name[:tag] to keep them under')
    .argument('<file=path...>', 'what the path is called then is written to the file')
    .addHelpText('after', createHelp)
    .action(withCommand(async () => (await import('../artifact/artifact.ts')).createAction));
}

const createHelp = `
An artifact is called oci:HOST/REPOSITORY@DIGEST, with the digest of its gzipped tar. Equal files make
an equal digest, and are sent once. Where there is nothing at the path, it is empty.

Examples:
  reposure artifact create default team/app-files:run-7 SOURCE_ARTIFACT=./source
  reposure artifact create default team/app-files:run-7 /tekton/results/SOURCE=/workspace/source
`;

function useCommand(): Command {
  return withTransferOptions(new Command('use'))
    .description('fetch artifacts, prove them by their digests, and unpack them to new folders')
    .argument('<registry>', 'name of the Registry resource')
    .argument(
      '<artifact=folder...>',
      'oci:HOST/REPOSITORY@DIGEST=FOLDER; without an artifact, none',
    )
    .option(
      '--empty-result <file>',
      'make this file, empty: the result of a later step; may be repeated',
      emptyResultOf,
      [],
    )
    .option(
      '--fallback <folder>',
      'where no artifact is named, let the folder be a link to this one',
    )
    .addHelpText('after', useHelp)
    .action(withCommand(async () => (await import('../artifact/artifact.ts')).useAction));
}

function emptyResultOf(file: string, earlier: readonly string[]): readonly string[] {
  emptyResult('artifact', file);
  return [...earlier, file];
}

const useHelp = `
Examples:
  reposure artifact use default oci:registry.ci.svc:5000/team/app-files@sha256:…=./source
  reposure artifact use default "$SOURCE_ARTIFACT=/var/workdir/source" --fallback /workspace/source
`;
