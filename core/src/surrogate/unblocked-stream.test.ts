import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { UnblockedStream } from './unblocked-stream.ts';

const KiB = 1024;
const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A stream over one whose far side reads nothing yet. */
function stalled(): { stream: UnblockedStream; far: Duplex; written: () => number } {
  const [near, far] = duplexPair();
  const stream = new UnblockedStream(near);
  cleanups.push(() => stream.destroy());
  let written = 0;
  const writeOn = (): void => {
    stream.write(Buffer.alloc(16 * KiB), (error) => {
      if (error || stream.destroyed) return;
      written += 16 * KiB;
      if (written < 4096 * KiB) writeOn();
    });
  };
  writeOn();
  return { stream, far, written: () => written };
}

/** Until nothing has moved for fifty turns of the event loop. */
async function settled(value: () => number): Promise<number> {
  for (let same = 0, last = -1; same < 50; same = value() === last ? same + 1 : 0, last = value()) {
    await turn();
  }
  return value();
}

describe('UnblockedStream', () => {
  it('makes a writer wait for a far side that does not read', async () => {
    const { written } = stalled();
    expect(await settled(written)).toBeLessThanOrEqual(512 * KiB);
  });

  it('lets the writer go on as the far side reads', async () => {
    const { written, far } = stalled();
    await settled(written);
    far.resume();
    expect(await settled(written)).toBe(4096 * KiB);
  });

  it('ends the wait for what arrives, so that two ends that only write do not stand still', async () => {
    const { written, far, stream } = stalled();
    const before = await settled(written);
    far.write('hello');
    expect(await settled(written)).toBeGreaterThan(before);
    expect(String(stream.read())).toBe('hello');
  });

  it('holds no writer for ever when it is destroyed', async () => {
    const { stream, written } = stalled();
    await settled(written);
    const over = new Promise((resolve) => void stream.write('more', resolve));
    stream.destroy();
    expect(await over).toBeDefined();
  });
});
