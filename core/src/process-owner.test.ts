import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';

import { isAlive, ownOwner } from './process-owner.ts';

describe.skipIf(process.platform !== 'linux')('isAlive()', () => {
  it('knows this process, and not a later one with its number', async () => {
    const own = await ownOwner();
    expect(await isAlive(own, 0)).toBe(true);
    expect(await isAlive({ ...own, startTime: own.startTime + 1 }, Date.now())).toBe(false);
  });

  it('counts one as dead that has ended and that nobody asks for its status', async () => {
    // What `sleep` has taken over from the shell, it does not look after: as PID 1 of many containers.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(parent, 'exit');
    onTestFinished(async () => {
      parent.kill();
      await ended;
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line);
    const stat = (): string[] => {
      const all = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return all.slice(all.lastIndexOf(')') + 2).split(' ');
    };
    const owner = { ...(await ownOwner()), pid, startTime: Number(stat()[19]) };
    await expect.poll(() => stat()[0]).toBe('Z');
    expect(Number(stat()[19])).toBe(owner.startTime);
    expect(await isAlive(owner, Date.now())).toBe(false);
  });
});
