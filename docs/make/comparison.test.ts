import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { root } from './documents.ts';
import { sectionOf } from './markdown.ts';

it('docs/comparison.md has the rates that bench/RESULTS.md has', () => {
  const measured = rowsOf(textOf('bench/RESULTS.md')).map(
    ([work = '', by, , , rate]) => `${work.split(' ')[0] ?? ''} ${by} ${rate}`,
  );
  const [, ...rows] = rowsOf(sectionOf(textOf('docs/comparison.md'), 'Measured'));
  const told = rows.flatMap(([way = '', push = '', pull = '']) => {
    const by = way.replace(/ \(.*/, '').replaceAll(/`|route |kubectl (?=port-forward)/g, '');
    const pushed = `push ${by} ${push}`;
    return pull === '' ? [pushed] : [pushed, `pull ${by} ${pull}`];
  });
  expect(told.length).toBeGreaterThan(0);
  expect(measured).toEqual(expect.arrayContaining(told));
});

function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The rows of all tables, heads included. */
function rowsOf(markdown: string): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| --'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
