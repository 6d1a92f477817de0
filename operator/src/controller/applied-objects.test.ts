import { describe, expect, it } from 'vitest';

import { AppliedObjects } from './applied-objects.ts';

const done = async (): Promise<void> => {};

describe('AppliedObjects', () => {
  it('has what was applied until something happens to it, or to all', async () => {
    const applied = new AppliedObjects();
    expect(applied.has('ci/a', 'x')).toBe(false);
    for (const key of ['ci/a', 'ci/b']) await applied.applying(key, 'x', done);
    expect(applied.has('ci/a', 'x')).toBe(true);
    expect(applied.has('ci/a', 'y')).toBe(false);
    applied.touch('ci/a');
    expect([applied.has('ci/a', 'x'), applied.has('ci/b', 'x')]).toEqual([false, true]);
    applied.touchAll();
    expect(applied.has('ci/b', 'x')).toBe(false);
  });

  it.each(['touch', 'touchAll'] as const)(
    'does not count what was applied while something happened: %s',
    async (happens) => {
      const applied = new AppliedObjects();
      await applied.applying('ci/a', 'x', async () => applied[happens]('ci/a'));
      expect(applied.has('ci/a', 'x')).toBe(false);
      await applied.applying('ci/a', 'x', done);
      expect(applied.has('ci/a', 'x')).toBe(true);
    },
  );

  it('does not count what failed, what is forgotten, and what is older than ten minutes', async () => {
    let now = 0;
    const applied = new AppliedObjects(() => now);
    const fails = applied.applying('ci/a', 'x', () => Promise.reject(new Error('refused')));
    await expect(fails).rejects.toThrow('refused');
    expect(applied.has('ci/a', 'x')).toBe(false);
    await applied.applying('ci/a', 'x', done);
    now = 600_000;
    expect(applied.has('ci/a', 'x')).toBe(false);
    await applied.applying('ci/a', 'x', done);
    applied.forget('ci/a');
    expect(applied.has('ci/a', 'x')).toBe(false);
  });
});
