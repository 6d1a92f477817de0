import { writeFileSync } from 'node:fs';

import { explain, InputError, LimitExceededError } from '@reposure/core';
import type { ImageResultName } from '@reposure/core/transfer';
import { InvalidArgumentError, Option } from 'commander';

/** What `--result` knows of an image that was pushed or copied. */
export const imageResultNames: readonly ImageResultName[] = [
  'url',
  'digest',
  'ref',
  'pull-ref',
  'previous-digest',
];

/** Files that a pipeline reads one result from each, by the result's name. */
export type ResultFiles = ReadonlyMap<string, string>;

/**
 * Tekton reads all results of a step from the container's termination message, as JSON.
 *
 * @see https://github.com/tektoncd/pipeline/blob/v1.9.0/docs/tasks.md#emitting-results
 */
const maxMessageBytes = 4096;

/**
 * The option `--result NAME=FILE`. A file is there and empty from the moment on that its option is
 * read: a pipeline's result that was declared has to be there, also of a step that fails.
 */
export function resultOption(names: readonly string[]): Option {
  return new Option(
    '--result <name=file>',
    `also write one to a file, without a newline: ${names.join(', ')}; may be repeated`,
  ).argParser((text: string, earlier?: ResultFiles) => {
    const [, name = '', file = ''] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
    if (!names.includes(name)) {
      throw new InvalidArgumentError(`Want NAME=FILE; names are ${names.join(', ')}.`);
    }
    write(name, file, '');
    return new Map([...(earlier ?? []), [name, file]]);
  });
}

/**
 * Writes what was asked for, once everything is done.
 *
 * @throws {LimitExceededError} if it is more than a pipeline takes; all files are empty then.
 */
export function writeResults(
  files: ResultFiles | undefined,
  values: Readonly<Record<string, string>>,
): void {
  const named = [...(files ?? [])].map(([name, file]) => ({
    name,
    file,
    value: values[name] ?? '',
  }));
  refuseTooMuch(
    named.map(({ file, value }) => ({ key: file, value, type: 1 })),
    true,
  );
  for (const { name, file, value } of named) write(name, file, value);
}

function refuseTooMuch(message: readonly object[], isDone: boolean): void {
  const bytes = Buffer.byteLength(JSON.stringify(message));
  if (bytes <= maxMessageBytes) return;
  throw new LimitExceededError(
    `Cannot hand on the results: they have ${bytes} bytes; want at most ${maxMessageBytes}, as Tekton reads them${isDone ? '. What was asked for is done' : ''}`,
  );
}

/**
 * Writes a result of type array.
 *
 * @throws {LimitExceededError} if it is more than a pipeline takes; the file stays as it is then.
 */
export function writeArrayResult(file: string, words: readonly string[]): void {
  const value = JSON.stringify(words);
  refuseTooMuch([{ key: file, value, type: 1 }], false);
  write('array', file, value);
}

/** Makes a file that is there, and empty, whatever comes next. */
export function emptyResult(name: string, file: string): void {
  write(name, file, '');
}

function write(name: string, file: string, value: string): void {
  try {
    writeFileSync(file, value);
  } catch (cause) {
    throw new InputError(`Cannot write the result ${name} to ${file}: ${explain(cause)}`, {
      cause,
    });
  }
}
