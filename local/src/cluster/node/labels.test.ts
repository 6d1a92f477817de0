import { describe, expect, it } from 'vitest';

import { isSelected } from './labels.ts';
import type { LabelSelector } from './objects.ts';

const labels = { app: 'web', tier: 'front' };

describe('isSelected()', () => {
  it.each<[LabelSelector, boolean]>([
    [{}, true],
    [{ matchLabels: { app: 'web' } }, true],
    [{ matchLabels: { app: 'web', tier: 'back' } }, false],
    [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['front'] }] }, true],
    [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['front'] }] }, false],
    [{ matchExpressions: [{ key: 'none', operator: 'NotIn', values: ['x'] }] }, true],
    [{ matchExpressions: [{ key: 'app', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, false],
  ])('for %j is %s', (selector, expected) => {
    expect(isSelected(selector, labels)).toBe(expected);
  });
});
