import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Declared {
  readonly description: string;
  readonly default?: string;
  readonly required?: boolean;
}

const read = (name: string): Promise<string> => readFile(new URL(name, import.meta.url), 'utf8');

/** The cells of the table under a heading, without its own headings. */
function tableUnder(heading: string, text: string): string[][] {
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const [rest = ''] = section.split('\n## ');
  const rows = rest.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('README.md of actions/push', () => {
  it('has the inputs and outputs of action.yml, with their defaults and words', async () => {
    const { inputs, outputs } = parse(await read('action.yml')) as {
      inputs: Record<string, Declared>;
      outputs: Record<string, Declared>;
    };
    const text = await read('README.md');
    const defaultOf = ({ required, default: value }: Declared): string => {
      if (required) return 'required';
      return value === undefined ? '' : `\`${value}\``;
    };
    expect(tableUnder('Inputs', text)).toEqual(
      Object.entries(inputs).map(([name, input]) => [
        `\`${name}\``,
        defaultOf(input),
        input.description,
      ]),
    );
    expect(tableUnder('Outputs', text)).toEqual(
      Object.entries(outputs).map(([name, { description }]) => [`\`${name}\``, description]),
    );
  });
});
