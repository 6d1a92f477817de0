import { parseArgs } from 'node:util';

import type { BenchCase, BenchOptions } from './bench.ts';
import { isLinkName, linkShapes } from './link.ts';

/** What `npm run bench` was called with. */
export interface Arguments extends BenchOptions {
  readonly cases: readonly BenchCase[];
  readonly isJson: boolean;
  /** Whether `RESULTS.md` is written. */
  readonly writes: boolean;
  /** Whether only to be told how it is called. */
  readonly wantsHelp: boolean;
}

/** How it is called. */
export const usage = `npm run bench -- [CASE…] [--rounds N] [--link LINK] [--cluster embedded|real] [--scale F] [-o json] [--write]`;

/** Parses the command line. @throws {SyntaxError} that says what is possible. */
export function parseArguments(words: readonly string[], all: readonly BenchCase[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      link: { type: 'string', default: 'loopback' },
      cluster: { type: 'string', default: 'embedded' },
      scale: { type: 'string', default: '1' },
      output: { type: 'string', short: 'o' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { link, cluster, output } = values;
  if (!isLinkName(link)) throw refusal('--link', link, Object.keys(linkShapes));
  if (cluster !== 'embedded' && cluster !== 'real') {
    throw refusal('--cluster', cluster, ['embedded', 'real']);
  }
  if (output !== undefined && output !== 'json') throw refusal('-o', output, ['json']);
  return {
    rounds: whole('--rounds', values.rounds),
    scale: positive('--scale', values.scale),
    link,
    cluster,
    cases: casesOf(positionals, all),
    isJson: output === 'json',
    writes: values.write,
    wantsHelp: values.help,
  };
}

function casesOf(names: readonly string[], all: readonly BenchCase[]): readonly BenchCase[] {
  if (names.length === 0) return all;
  return names.map((name) => {
    const found = all.find((each) => each.name === name);
    if (!found)
      throw refusal(
        'case',
        name,
        all.map((each) => each.name),
      );
    return found;
  });
}

function whole(option: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw refusal(option, text, ['a whole number above 0']);
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (number > 0 && number < Infinity) return number;
  throw refusal(option, text, ['a number above 0']);
}

function refusal(what: string, text: string, wanted: readonly string[]): SyntaxError {
  return new SyntaxError(`Cannot take ${what} "${text}"; want ${wanted.join(', ')}\n${usage}`);
}
