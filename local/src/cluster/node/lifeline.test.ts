import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

const fixture = new URL('test/node.ts', import.meta.url).href;
const main = `
  const { scriptPod, startTestNode, statusOf } = await import(${JSON.stringify(fixture)});
  const { store, directory, until } = await startTestNode();
  store.create('pods', scriptPod('a', 'setInterval(() => {}, 1000)'));
  const id = await until(() => statusOf(store.peek('pods', 'default', 'a')).containerStatuses?.[0]?.containerID);
  process.stdout.write(JSON.stringify({ directory, pid: Number(id.replace('process://', '')) }));
`;

function isAlive(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) Z /.test(readFileSync(path, 'utf8'));
}

describe('a program of ours', () => {
  it('ends with a cluster that was killed', async () => {
    const cluster = spawn(process.execPath, ['--input-type=module', '-e', main], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(cluster.stdout, 'data')) as [Buffer];
    const { directory, pid } = JSON.parse(said.toString()) as { directory: string; pid: number };
    expect(isAlive(pid)).toBe(true);
    cluster.kill('SIGKILL');
    await once(cluster, 'exit');
    for (let tries = 0; tries < 2000 && isAlive(pid); tries++) await delay(10);
    expect(isAlive(pid)).toBe(false);
    rmSync(directory, { recursive: true });
  });
});
