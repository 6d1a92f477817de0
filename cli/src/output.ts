import { InputError } from '@reposure/core';
import { stringify } from 'yaml';

import { writeOut } from './standard-output.ts';

/** How a result is printed: for a person, or as `-o` asks. */
export type OutputFormat = 'text' | 'json' | 'yaml' | 'name';

/** One result in all of its forms. */
export interface Printable {
  /** For `-o json` and `-o yaml`. */
  readonly value: unknown;
  /** For `-o name`: one per line, and nothing else. */
  readonly names: readonly string[];
  /** For a person; without a trailing newline. */
  readonly text: string;
}

/** @throws {InputError} if `-o` names another format. */
export function parseOutputFormat(text: string | undefined): OutputFormat {
  switch (text) {
    case undefined:
      return 'text';
    case 'json':
    case 'yaml':
    case 'name':
      return text;
    default:
      throw new InputError(`Cannot print as "${text}": want json, yaml or name`);
  }
}

/** Prints a result on standard output. @throws {StandardOutputError} if it cannot. */
export async function print(
  format: OutputFormat,
  { value, names, text }: Printable,
): Promise<void> {
  const form: Record<OutputFormat, () => string> = {
    text: () => text,
    json: () => JSON.stringify(value, undefined, 2),
    yaml: () => stringify(value, { aliasDuplicateObjects: false }).trimEnd(),
    name: () => names.join('\n'),
  };
  const printed = form[format]();
  if (printed) await writeOut(`${printed}\n`);
}

/** Lines up columns under their headings, as kubectl does; an empty list is an empty text. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
