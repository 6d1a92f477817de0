import { describe, expect, it } from 'vitest';

import { InputError, UnreachableError } from './errors.ts';
import { retry } from './retry.ts';

const lost = new UnreachableError('lost');
const quickly = { retries: 3, baseDelayMs: 1, maxDelayMs: 2 };

describe('retry()', () => {
  it('answers with the first success, and says what went wrong before', async () => {
    const said: unknown[] = [];
    const answer = await retry(
      async (tryNumber) => {
        if (tryNumber < 2) throw lost;
        return tryNumber;
      },
      { ...quickly, onRetry: (error) => said.push(error) },
    );
    expect(answer).toBe(2);
    expect(said).toEqual([lost, lost]);
  });

  it('throws what the last try threw', async () => {
    let tries = 0;
    const failing = retry(async () => {
      tries++;
      throw new UnreachableError(`lost ${tries}`);
    }, quickly);
    await expect(failing).rejects.toThrow('lost 4');
  });

  it('does not try again what cannot succeed', async () => {
    let tries = 0;
    const failing = retry(async () => {
      tries++;
      throw new InputError('wrong');
    }, quickly);
    await expect(failing).rejects.toThrow(InputError);
    expect(tries).toBe(1);
  });

  it('counts anew whenever the work has come further', async () => {
    let bytes = 0;
    const answer = await retry(
      async (tryNumber) => {
        if (tryNumber < 10) {
          bytes += 100;
          throw lost;
        }
        return bytes;
      },
      { ...quickly, retries: 1, progress: () => bytes },
    );
    expect(answer).toBe(1000);
  });

  const away = new UnreachableError('restarting', { isExpectedBack: true });

  it('waits for what is expected back, however many tries that takes', async () => {
    const answer = await retry(
      async (tryNumber) => {
        if (tryNumber < 20) throw away;
        return tryNumber;
      },
      { ...quickly, patienceMs: 10_000 },
    );
    expect(answer).toBe(20);
  });

  it.each([
    ['is not back in time', { retries: 1, patienceMs: 10 }],
    ['is not to be waited for', { retries: 0 }],
  ])('gives up what %s', async (_, options) => {
    const failing = retry(
      async () => {
        throw away;
      },
      { ...quickly, ...options },
    );
    await expect(failing).rejects.toThrow('restarting');
  });

  it('leaves time between its tries, by whatever chance', async () => {
    const pauses: number[] = [];
    const down = async (): Promise<never> => {
      throw new UnreachableError('down');
    };
    const often = { retries: 8, baseDelayMs: 4, maxDelayMs: 4 };
    const onRetry = (_: unknown, delayMs: number): unknown => pauses.push(delayMs);
    await expect(retry(down, { ...often, onRetry })).rejects.toThrow('down');
    for (const pause of pauses) expect(pause).toBeGreaterThanOrEqual(2);
    expect(pauses).toHaveLength(8);
  });

  it('waits at least as long as the other side asks for', async () => {
    const pauses: number[] = [];
    const busy = Object.assign(new UnreachableError('busy'), { retryAfterMs: 30 });
    await retry(
      async (tryNumber) => {
        if (tryNumber === 0) throw busy;
      },
      { ...quickly, onRetry: (_, delayMs) => pauses.push(delayMs) },
    );
    expect(pauses[0]).toBeGreaterThanOrEqual(30);
  });

  it('ends its pause when it is aborted', async () => {
    const controller = new AbortController();
    const waiting = retry(
      async () => {
        throw Object.assign(new UnreachableError('busy'), { retryAfterMs: 1_000_000 });
      },
      {
        retries: 1,
        signal: controller.signal,
        onRetry: () => setTimeout(() => controller.abort(new InputError('enough')), 1),
      },
    );
    await expect(waiting).rejects.toThrow(InputError);
  });
});
