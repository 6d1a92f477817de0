import { describe, expect, it } from 'vitest';

import { Places } from './places.ts';

/** Who has a place at this moment, and how to let go of it. */
function visitors(places: Places): {
  readonly seated: Map<string, () => void>;
  readonly come: (name: string, signal?: AbortSignal) => Promise<void>;
} {
  const seated = new Map<string, () => void>();
  return {
    seated,
    come: async (name, signal) => {
      const place = await places.take(signal);
      seated.set(name, () => {
        seated.delete(name);
        place.free();
      });
    },
  };
}

describe('Places', () => {
  it('gives out so many, and the next one to who waits longest', async () => {
    const { seated, come } = visitors(new Places(2));
    await Promise.all([come('a'), come('b')]);
    const [third, fourth] = [come('c'), come('d')];
    seated.get('a')?.();
    await third;
    expect([...seated.keys()]).toEqual(['b', 'c']);
    seated.get('c')?.();
    await fourth;
    expect([...seated.keys()]).toEqual(['b', 'd']);
    seated.get('b')?.();
    seated.get('d')?.();
    await Promise.all([come('e'), come('f')]);
    expect(seated.size).toBe(2);
  });

  it('loses none to who leaves while waiting', async () => {
    const { seated, come } = visitors(new Places(1));
    await come('a');
    const leaving = new AbortController();
    const second = come('b', leaving.signal);
    const third = come('c');
    leaving.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    seated.get('a')?.();
    await third;
    expect([...seated.keys()]).toEqual(['c']);
  });

  it('loses none to who leaves just when it is their turn', async () => {
    const { seated, come } = visitors(new Places(1));
    await come('a');
    const leaving = new AbortController();
    const second = come('b', leaving.signal);
    const third = come('c');
    seated.get('a')?.();
    leaving.abort(new Error('enough'));
    await second;
    seated.get('b')?.();
    await third;
    expect([...seated.keys()]).toEqual(['c']);
    await expect(come('d', leaving.signal)).rejects.toThrow('enough');
  });
});
