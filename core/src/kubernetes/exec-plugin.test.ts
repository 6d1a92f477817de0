import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { silent } from '../log.ts';
import { ExecPlugin } from './exec-plugin.ts';
import { Cluster, ExecConfig, User } from './kubeconfig-schema.ts';
import { resourceTypes } from './resource-types.ts';
import { answer, startApiServer } from './test/api-server.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reposure-plugin-'));
});
afterEach(async () => {
  for (const pid of await lines('pids')) endLeftover(Number(pid));
  await rm(folder, { recursive: true });
});

/** Writes a plugin that notes its process id; `$n` tells it the number of the run. */
async function scriptOf(body: string): Promise<string> {
  const command = join(folder, 'plugin');
  const pids = join(folder, 'pids');
  await writeFile(
    command,
    `#!/bin/sh\necho $$ >> '${pids}'\nn=$(grep -c . '${pids}')\n` +
      `give() { printf '{"status":{"token":"t%s","expirationTimestamp":"%s"}}' "$n" "$1"; }\n${body}\n`,
  );
  await chmod(command, 0o755);
  return command;
}

async function pluginOf(body: string): Promise<ExecPlugin> {
  const config = ExecConfig.parse({ command: await scriptOf(body), interactiveMode: 'Never' });
  const access = {
    source: 'config',
    contextName: 'test',
    clusterName: 'test',
    userName: 'tester',
    namespace: 'default',
    server: 'https://cluster.test',
    cluster: Cluster.parse({}),
    user: User.parse({ exec: config }),
  };
  return new ExecPlugin(config, { access, env: { PATH: process.env['PATH'] }, log: silent });
}

/** The lines of a file that a plugin wrote. */
async function lines(name: string): Promise<string[]> {
  const path = join(folder, name);
  if (!existsSync(path)) return [];
  return (await readFile(path, 'utf8')).split('\n').filter(Boolean);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What a failed test may leave. */
function endLeftover(pid: number): void {
  if (isAlive(pid)) process.kill(pid);
}

const runs = async (): Promise<number> => (await lines('pids')).length;
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (error: unknown) => error,
  );
const at = (time: string): unknown => vi.spyOn(Date, 'now').mockReturnValue(Date.parse(time));

describe('credentials of an exec plugin that expired', () => {
  it('are fetched by one run for all who ask', async () => {
    const plugin = await pluginOf(
      '[ $n = 1 ] && give 2030-01-01T00:00:00Z || give 2031-01-01T00:00:00Z',
    );
    at('2029-12-31T00:00:00Z');
    expect(await plugin.credential(undefined)).toMatchObject({ token: 't1' });
    at('2030-06-01T00:00:00Z');
    const asked = Array.from({ length: 5 }, () => plugin.credential(undefined));
    expect((await Promise.all(asked)).map(({ token }) => token)).toEqual(Array(5).fill('t2'));
    expect(await runs()).toBe(2);
  });

  it('are asked for again after a run that failed', async () => {
    const plugin = await pluginOf('[ $n = 2 ] && exit 3; give 203$n-01-01T00:00:00Z');
    at('2030-06-01T00:00:00Z');
    expect(await plugin.credential(undefined)).toMatchObject({ token: 't1' });
    at('2031-06-01T00:00:00Z');
    expect(String(await failureOf(plugin.credential(undefined)))).toContain('ended with 3');
    expect(await plugin.credential(undefined)).toMatchObject({ token: 't3' });
    expect(await runs()).toBe(3);
  });
});

describe('an exec plugin that hangs', () => {
  const hangsOnce = '[ $n = 1 ] && exec sleep 60; give 2999-01-01T00:00:00Z';

  it('is ended when the last of those who wait for it leaves', async () => {
    const plugin = await pluginOf(hangsOnce);
    const [one, two] = [new AbortController(), new AbortController()];
    const failures = [one, two].map(({ signal }) =>
      failureOf(plugin.credential(undefined, signal)),
    );
    await expect.poll(runs).toBe(1);
    const pid = Number((await lines('pids'))[0]);
    one.abort('first');
    expect(await failures[0]).toBe('first');
    expect(isAlive(pid)).toBe(true);
    two.abort('second');
    // It is asked for anew at once: nobody gets the failure of the run that was given up.
    const next = plugin.credential(undefined);
    expect(await failures[1]).toBe('second');
    expect(await next).toMatchObject({ token: 't2' });
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('is not even started for a request that is aborted', async () => {
    const plugin = await pluginOf('give 2999-01-01T00:00:00Z');
    expect(await failureOf(plugin.credential(undefined, AbortSignal.abort('early')))).toBe('early');
    await plugin.credential(undefined);
    expect(await runs()).toBe(1);
    // The same once there is something to give.
    expect(await failureOf(plugin.credential(undefined, AbortSignal.abort('late')))).toBe('late');
  });

  it.each(['request', 'exec'])('does not keep an aborted %s', async (kind) => {
    await using api = await startApiServer((_, response) => answer(response, {}));
    const exec = { command: await scriptOf(hangsOnce), interactiveMode: 'Never' };
    const client = await api.open({ user: { exec } }, { env: { PATH: process.env['PATH'] } });
    const controller = new AbortController();
    const { signal } = controller;
    const target = { namespace: 'n', pod: 'p', container: 'c', command: ['true'], signal };
    const failure = failureOf(
      kind === 'exec'
        ? client.exec(target)
        : client.get(resourceTypes.Namespace, 'n', undefined, signal),
    );
    await expect.poll(runs).toBe(1);
    controller.abort('enough');
    expect(await failure).toBe('enough');
    const pid = Number((await lines('pids'))[0]);
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(api.seen).toEqual([]);
  });
});
