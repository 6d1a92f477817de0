import { describe, expect, it } from 'vitest';

import { customColumns } from './columns.ts';
import { ageOf } from './duration.ts';
import { parseJsonPath } from './json-path.ts';

describe('ageOf()', () => {
  it.each([
    [45, '45s'],
    [125, '2m5s'],
    [3600, '60m'],
    [4 * 3600 + 60, '4h1m'],
    [30 * 3600, '30h'],
    [3 * 86_400, '3d'],
    [100 * 86_400, '100d'],
    [800 * 86_400, '2y70d'],
  ])('%d seconds are %s', (seconds, expected) => {
    const now = Date.UTC(2026, 0, 1);
    expect(ageOf(new Date(now - seconds * 1000).toISOString(), now)).toBe(expected);
  });

  it('does not know the age of nothing', () => {
    expect(ageOf(undefined)).toBe('<unknown>');
  });
});

describe('parseJsonPath()', () => {
  const object = {
    spec: {
      list: [
        { name: 'a', n: 1 },
        { name: 'b', n: 2 },
      ],
      'x.y/z': 'dotted',
    },
  };
  it.each([
    ['.spec.list[0].name', ['a']],
    ['.spec.list[-1].n', [2]],
    ['.spec.list[*].name', ['a', 'b']],
    ['.spec.list[?(@.name=="b")].n', [2]],
    [String.raw`.spec.x\.y/z`, ['dotted']],
    ["['spec']['x.y/z']", ['dotted']],
    ['.spec.none.deeper', []],
  ])('%s', (path, expected) => {
    expect(parseJsonPath(path)(object)).toEqual(expected);
  });

  it('refuses what it does not understand', () => {
    expect(() => parseJsonPath('.a[1:2]')).toThrow(SyntaxError);
  });
});

describe('customColumns()', () => {
  it('shows a column of each type', () => {
    const columns = customColumns([
      { name: 'Count', type: 'integer', jsonPath: '.spec.n' },
      { name: 'Since', type: 'date', jsonPath: '.spec.none', priority: 1 },
    ]);
    const metadata = { name: 'x', uid: '', resourceVersion: '', creationTimestamp: '' };
    const object = { apiVersion: 'v1', kind: 'X', metadata, spec: { n: 3 } };
    expect(columns.map(({ cell }) => cell(object))).toEqual(['x', 3, '<unknown>']);
  });
});
