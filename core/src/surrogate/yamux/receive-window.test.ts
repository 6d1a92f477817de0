import { describe, expect, it } from 'vitest';

import { initialWindowBytes, YamuxError } from './frame.ts';
import { maxGrantedBytes, maxWindowBytes, ReceiveWindow, WindowPool } from './receive-window.ts';

/** Everything arrives as it was granted, and is read at once. @returns What was granted in all. */
function readAll(window: ReceiveWindow, bytes: number, partBytes = 64 * 1024): number {
  let granted = 0;
  for (let at = 0; at < bytes; at += partBytes) {
    window.receive(partBytes);
    granted += window.take(partBytes);
  }
  return granted;
}

/** A pool on a way so slow that whatever a test reads was read within a round trip. */
function longWay(): WindowPool {
  const pool = new WindowPool();
  pool.roundTripMs = 60_000;
  return pool;
}

describe('ReceiveWindow', () => {
  it('grows to 8 MiB for a reader that is faster than the way, and the next begins there', () => {
    const pool = longWay();
    const window = new ReceiveWindow(pool);
    const first = initialWindowBytes + window.open();
    const ahead = first + readAll(window, 64 * maxWindowBytes) - 64 * maxWindowBytes;
    expect(ahead).toBeLessThanOrEqual(maxWindowBytes);
    expect(ahead).toBeGreaterThan(maxWindowBytes / 2); // less what is not yet worth an update
    window.close();
    expect(initialWindowBytes + new ReceiveWindow(pool).open()).toBeGreaterThan(first);
  });

  it.each([
    ['a reader that is slower than the way', 0],
    ['a way that nobody has measured', undefined],
  ])('stays as it is for %s', (_, roundTripMs) => {
    const pool = new WindowPool();
    pool.roundTripMs = roundTripMs;
    const window = new ReceiveWindow(pool);
    const first = initialWindowBytes + window.open();
    expect(readAll(window, 64 * maxWindowBytes)).toBeLessThanOrEqual(64 * maxWindowBytes);
    window.close();
    expect(initialWindowBytes + new ReceiveWindow(pool).open()).toBe(first);
  });

  it('shares 16 MiB with all others, and gives its part back', () => {
    const pool = longWay();
    const windows = Array.from({ length: 8 }, () => new ReceiveWindow(pool));
    const ahead = windows.map((window) => {
      const first = window.open();
      return first + readAll(window, 8 * maxWindowBytes) - 8 * maxWindowBytes;
    });
    const total = ahead.reduce((sum, bytes) => sum + bytes);
    expect(total).toBeLessThanOrEqual(maxGrantedBytes);
    expect(total).toBeGreaterThan(maxGrantedBytes / 2);
    expect(new ReceiveWindow(pool).open()).toBe(0);
    for (const window of windows) window.close();
    expect(pool.take(Infinity)).toBe(maxGrantedBytes);
  });

  it('takes no more than it has granted', () => {
    const window = new ReceiveWindow(new WindowPool());
    const granted = initialWindowBytes + window.open();
    window.receive(granted);
    expect(() => window.receive(1)).toThrow(YamuxError);
    expect(window.take(1)).toBe(0);
    expect(window.take(granted - 1)).toBe(granted);
    expect(() => window.receive(granted)).not.toThrow();
  });
});
