import { InputError } from '@reposure/core';
import { describe, expect, it } from 'vitest';

import { parseOutputFormat, table } from './output.ts';

describe('table()', () => {
  it('lines up columns and leaves no space at the end', () => {
    expect(
      table(
        ['A', 'BB'],
        [
          ['long', ''],
          ['x', 'y'],
        ],
      ),
    ).toBe('A      BB\nlong\nx      y');
  });

  it('is empty without rows', () => {
    expect(table(['A'], [])).toBe('');
  });
});

describe('parseOutputFormat()', () => {
  it('refuses what it does not know', () => {
    expect(() => parseOutputFormat('xml')).toThrow(InputError);
  });
});
