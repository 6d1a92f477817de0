import { describe, expect, it } from 'vitest';

import { parseRule } from './cel.ts';

const either = 'has(self.direct) != has(self.indirect) && !(has(self.a) && has(self.b))';

describe('parseRule()', () => {
  it.each([
    [either, { direct: {} }, true],
    [either, { direct: {}, indirect: {} }, false],
    [either, {}, false],
    [either, { indirect: 1, a: 1, b: 2 }, false],
    ["self.type == 'oci' || has(self.x)", { type: 'oci' }, true],
    ["self.type == 'oci' || has(self.x)", { type: 'tar' }, false],
    ['self.missing == 1 || has(self.x)', { x: 1 }, true],
    ['self.count != 3', { count: 4 }, true],
    ['!has(self.a.b)', { a: {} }, true],
  ])('evaluates %s of %j to %j', (rule, self, expected) => {
    expect(parseRule(rule)(self)).toBe(expected);
  });

  it.each(['self.all(x, x > 1)', 'size(self.a) < 2', 'has(self.a) &&', 'has(self)', '(true', ''])(
    'refuses what it does not understand: %s',
    (rule) => {
      expect(() => parseRule(rule)).toThrow(SyntaxError);
    },
  );

  it('fails where CEL would, for a field that is not there', () => {
    expect(() => parseRule('self.a == 1')({})).toThrow(/no such key: a/);
  });
});
