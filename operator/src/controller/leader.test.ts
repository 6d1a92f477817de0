import { silent } from '@reposure/core';
import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { lead, LeadershipLostError } from './leader.ts';
import { LeaseLock } from './lease-lock.ts';

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

describe('LeaseLock', () => {
  it('is held by one, until they let go', async () => {
    const cluster = new MemoryCluster();
    const [a, b] = [new LeaseLock(cluster, 'ci', 'a'), new LeaseLock(cluster, 'ci', 'b')];
    expect(await a.acquire()).toBe(true);
    expect(await b.acquire()).toBe(false);
    expect(await a.acquire()).toBe(true);
    await b.release();
    expect(await b.acquire()).toBe(false);
    await a.release();
    expect(await b.acquire()).toBe(true);
    expect(await a.acquire()).toBe(false);
  });

  it('writes times as the API wants them, and counts only changes of the holder', async () => {
    const cluster = new MemoryCluster();
    const lock = new LeaseLock(cluster, 'ci', 'a');
    await lock.acquire();
    await lock.acquire();
    expect(cluster.of('Lease')).toMatchObject([
      {
        spec: {
          holderIdentity: 'a',
          leaseTransitions: 1,
          renewTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        },
      },
    ]);
  });

  it('goes to one of two who want it at once', async () => {
    const cluster = new MemoryCluster();
    const locks = ['a', 'b', 'c'].map((identity) => new LeaseLock(cluster, 'ci', identity));
    const held = await Promise.all(locks.map((lock) => lock.acquire()));
    expect(held.filter(Boolean)).toHaveLength(1);
  });
});

describe('lead()', () => {
  it('works until it is told to stop, then lets go of the lease', async () => {
    const cluster = new MemoryCluster();
    const stop = new AbortController();
    const options = { kubernetes: cluster, namespace: 'ci', log: silent, signal: stop.signal };
    await lead({ ...options, identity: 'a' }, async (signal) => {
      expect(cluster.of('Lease')).toMatchObject([{ spec: { holderIdentity: 'a' } }]);
      stop.abort();
      await untilAborted(signal);
    });
    expect(cluster.of('Lease')).toMatchObject([{ spec: { holderIdentity: '' } }]);
  });

  it('never works while somebody else leads', async () => {
    const cluster = new MemoryCluster();
    await new LeaseLock(cluster, 'ci', 'other').acquire();
    const stop = new AbortController();
    let turns = 0;
    const onTurn = (): void => {
      turns += 1;
      if (turns === 3) stop.abort();
    };
    const options = { kubernetes: cluster, namespace: 'ci', log: silent, signal: stop.signal };
    let hasWorked = false;
    await lead({ ...options, identity: 'a', onTurn, retryEveryMs: 1 }, async () => {
      hasWorked = true;
    });
    expect({ turns, hasWorked }).toEqual({ turns: 3, hasWorked: false });
  });

  it('stops its work when it cannot renew the lease', async () => {
    const cluster = new MemoryCluster();
    const options = {
      kubernetes: cluster,
      namespace: 'ci',
      identity: 'a',
      log: silent,
      signal: new AbortController().signal,
      retryEveryMs: 1,
      renewWithinMs: 5,
    };
    const leading = lead(options, async (signal) => {
      cluster.isDown = true;
      await untilAborted(signal);
    });
    await expect(leading).rejects.toBeInstanceOf(LeadershipLostError);
  });

  it.each([
    ['work that ends', untilAborted],
    ['work that hangs', () => new Promise<never>(() => {})],
  ])('gives up when nobody answers it any more, with %s', async (_, hang) => {
    const cluster = new MemoryCluster();
    const options = {
      kubernetes: cluster,
      namespace: 'ci',
      identity: 'a',
      log: silent,
      signal: new AbortController().signal,
      retryEveryMs: 1,
      renewWithinMs: 20,
      endWithinMs: 5,
    };
    let working: AbortSignal | undefined;
    const leading = lead(options, async (signal) => {
      working = signal;
      cluster.find = () => new Promise<never>(() => {});
      await hang(signal);
    });
    await expect(leading).rejects.toBeInstanceOf(LeadershipLostError);
    expect(working?.aborted).toBe(true);
  });

  it('goes on asking where nobody answered', async () => {
    const cluster = new MemoryCluster();
    const stop = new AbortController();
    const find = cluster.find.bind(cluster);
    cluster.find = () => new Promise<never>(() => {});
    const options = {
      kubernetes: cluster,
      namespace: 'ci',
      identity: 'a',
      log: silent,
      signal: stop.signal,
      retryEveryMs: 1,
      renewWithinMs: 100,
      onTurn: () => {
        cluster.find = find;
      },
    };
    let hasWorked = false;
    await lead(options, async () => {
      hasWorked = true;
    });
    expect(hasWorked).toBe(true);
  });

  it('passes on what goes wrong with the work', async () => {
    const options = {
      kubernetes: new MemoryCluster(),
      namespace: 'ci',
      identity: 'a',
      log: silent,
      signal: new AbortController().signal,
      retryEveryMs: 1,
    };
    const leading = lead(options, () => Promise.reject(new RangeError('broken')));
    await expect(leading).rejects.toThrow('broken');
  });
});
