import { Command } from 'commander';

import { emptyResult, writeArrayResult } from '../results.ts';
import { many } from './transfer-options.ts';

interface ArrayFlags {
  readonly first?: readonly string[];
  readonly prefix: string;
}

/** `result array`: what a pipeline that has no shell cannot make of a param by itself. */
export function resultCommand(): Command {
  return new Command('result')
    .description('results of a step of a pipeline, made of its params')
    .addCommand(arrayCommand());
}

function arrayCommand(): Command {
  return new Command('array')
    .description("write words to a file as an array: a step's result for the next step's args")
    .argument('<file>', 'the file', emptied)
    .argument('[word...]', 'the words; empty ones are left out')
    .option('--prefix <text>', 'put before each word', '')
    .option(
      '--first <word>',
      'a word of its own before all of them, without the prefix; may be repeated',
      many,
    )
    .addHelpText('after', help)
    .action((file: string, words: readonly string[], { first = [], prefix }: ArrayFlags) => {
      const given = words.filter((word) => word !== '').map((word) => prefix + word);
      writeArrayResult(file, [...first, ...given]);
    });
}

function emptied(file: string): string {
  emptyResult('array', file);
  return file;
}

const help = `
Tekton puts an array into args as it is, word by word; for a program that wants an option before each
word, one step writes them with the option, and the next has $(steps.NAME.results.RESULT[*]). Of an
array without words Tekton makes an empty word: --first has a word that is always there.

Examples:
  reposure result array /tekton/steps/step-a/results/OPTIONS --first=--format=oci --prefix=--build-arg= -- A=1 B=2
`;
