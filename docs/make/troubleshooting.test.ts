import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { errorCodes } from '@reposure/core';
import { describe, expect, it } from 'vitest';

import { conditionReasons } from '../../operator/src/controller/condition-reasons.ts';
import { root } from './documents.ts';
import { headingsOf, sectionOf } from './markdown.ts';

const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
const codes = sectionOf(page, 'Error codes');
const conditions = sectionOf(page, 'Conditions of a Registry');
const reasons = new Set(Object.values(conditionReasons).flat());
/** Where they are listed, and not used. */
const lists = new Set(['operator/src/controller/condition-reasons.ts']);

const sources = globSync(['{core,operator,cli}/src/**/*.ts'], { cwd: root })
  .filter((path) => !path.endsWith('.test.ts') && !lists.has(path))
  .map((path) => withoutLists(readFileSync(join(root, path), 'utf8')))
  .join('\n');

describe('docs/troubleshooting.md', () => {
  it('has a section for every error code, and for no other', () => {
    expect(headingsOf(codes, 3)).toEqual([...errorCodes]);
  });

  it('has a section for every condition and every reason of one, and for no other', () => {
    expect(headingsOf(conditions, 3)).toEqual(
      expect.arrayContaining(Object.keys(conditionReasons)),
    );
    const sections = headingsOf(conditions, 4);
    expect(sections.toSorted()).toEqual([...reasons].toSorted());
  });

  it.each(Object.entries(conditionReasons))('tells of %s under it', (type, own) => {
    const shared = headingsOf(sectionOf(conditions, 'Of several conditions'), 4);
    const sections = [
      ...headingsOf(sectionOf(`\n### ${type}\n${bodyOf(type)}`, type), 4),
      ...shared,
    ];
    expect(sections).toEqual(expect.arrayContaining([...own]));
  });

  it('tells of nothing that the program does not give any more', () => {
    const names = [...errorCodes, ...reasons];
    expect(names.filter((name) => !sources.includes(`'${name}'`))).toEqual([]);
  });
});

/** The section of a condition: `Ready` and `Resolved` are names of reasons, too. */
function bodyOf(type: string): string {
  const [, rest = ''] = conditions.split(`\n### ${type}\n`);
  return rest.split(/\n### /)[0] ?? '';
}

/** A source without the lists that only say which names there are. */
function withoutLists(source: string): string {
  return source.replaceAll(/= \[\n(?: {2}'\w+',\n)+\] as const;/g, '');
}
