import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { digestAt, inside, startRelayedWorld } from '../chaos/relayed-world.ts';
import type { RelayedWorld } from '../chaos/relayed-world.ts';
import { reposure, reposureOk } from '../support/cli.ts';
import { ownProgram } from '../support/program.ts';
import { writeRandomImage } from '../support/random-image.ts';
import { hasTool, runProgram } from '../support/tools.ts';
import { describeBridge, withBridge } from './bridge.ts';
import type { BridgedWorld } from './bridge.ts';

const MiB = 1024 * 1024;

let relayed: RelayedWorld;

beforeAll(async () => {
  relayed = await startRelayedWorld();
});

afterAll(() => relayed.close());

const world = (): BridgedWorld => {
  const { env, origin } = relayed;
  return { env, origin, words: [], registry: inside };
};

describeBridge('embedded cluster', world);

describe('an exec stream that is cut again and again', { timeout: 120_000 }, () => {
  it.skipIf(!hasTool('crane'))('is not seen by crane, and little goes twice', async () => {
    const { directory, toCluster } = relayed;
    const [layout, bytes] = [join(directory, 'cut'), 24 * MiB];
    const digest = await writeRandomImage(layout, { layers: 2, layerBytes: bytes / 2 });
    const before = toCluster.up.bytes;
    const points = [5, 11, 20].map((each) => each * MiB);
    for (const point of points) toCluster.up.when(before + point, () => toCluster.cut());
    const line = `crane push ${layout} $REGISTRY/cut:1; crane pull --format=oci $REGISTRY/cut:1 ${layout}-back`;
    const { status, stderr } = await withBridge(world(), line, { route: 'exec' });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    expect(stderr).toMatch(/Trying again/);
    expect(await digestAt(relayed.origin, 'cut', '1')).toBe(digest);
    expect(toCluster.up.bytes - before).toBeLessThan(bytes * 3);
  });
});

describe('bridge', { timeout: 60_000 }, () => {
  const run = (...words: string[]) => reposure(words, { env: relayed.env });

  it('runs in the background, is found, and is gone with its files when it is stopped', async () => {
    const { directory, env } = relayed;
    const configDir = join(directory, 'config');
    const words = ['bridge', inside, '--background', '--config-dir', configDir, '-o', 'json'];
    const started = JSON.parse((await reposureOk(words, { env })).toString());
    expect(started).toMatchObject({
      address: expect.stringMatching(/^localhost:\d+$/),
      registry: inside,
      namespace: 'default',
      route: 'proxy',
      configDir,
      env: { DOCKER_CONFIG: join(configDir, 'docker'), REGISTRY: started.address },
    });
    const files = [join(configDir, 'docker', 'config.json'), started.stateFile, started.logFile];
    for (const file of files) expect((await stat(file)).mode & 0o077).toBe(0);
    const config = await readFile(files[0] ?? '', 'utf8');
    const { auth } = JSON.parse(config).auths[started.address];
    const [, password = ''] = atob(auth).split(':');
    expect(password).toMatch(/^.{43}$/);
    // The login is in the files that tools read, and nowhere else.
    const seen = [
      await readFile(`/proc/${started.pid}/cmdline`, 'utf8'),
      await readFile(`/proc/${started.pid}/environ`, 'utf8'),
      await readFile(started.stateFile, 'utf8'),
      await readFile(started.logFile, 'utf8'),
      JSON.stringify(started),
    ].join('\n');
    for (const secret of [auth, password]) expect(seen).not.toContain(secret);
    const asked = await fetch(`http://${started.address}/v2/`, {
      headers: { authorization: `Basic ${auth}` },
    });
    expect(asked.status).toBe(200);
    const second = await run(...words);
    expect(second).toMatchObject({ status: 2, stderr: expect.stringContaining(started.address) });
    expect((await run('bridge', 'status', '-o', 'name')).stdout.toString()).toBe(
      `${started.address}\n`,
    );
    const stopped = await run('bridge', 'stop', inside, '-o', 'json');
    expect(JSON.parse(stopped.stdout.toString())).toMatchObject([{ pid: started.pid }]);
    // It has ended; its number stays until PID 1 has asked for its status.
    await expect.poll(() => existsSync(`/proc/${started.pid}`)).toBe(false);
    expect(existsSync(configDir)).toBe(false);
    expect(await readdir(join(relayed.env['XDG_STATE_HOME'] ?? '', 'reposure', 'bridges'))).toEqual(
      [],
    );
    expect(await run('bridge', 'stop')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('there is none'),
    });
  });

  it('tells what was pushed through it when it is stopped, and which it is if there are two', async () => {
    const { directory, env, origin } = relayed;
    const layout = join(directory, 'told');
    const digest = await writeRandomImage(layout, { layers: 1, layerBytes: 1000 });
    const start = async (...words: string[]): Promise<{ address: string; stderr: string }> => {
      const { stdout, stderr } = await run(
        'bridge',
        inside,
        '--background',
        ...words,
        '-o',
        'json',
      );
      return { ...JSON.parse(stdout.toString()), stderr };
    };
    const open = await start('--no-token');
    expect(open.stderr).toContain('Warning: every user of this machine can push');
    const other = await start('--config-dir', join(directory, 'second'));
    const pushing = ['image', 'push', 'bridged', 'e2e/told:1', `oci:${layout}`, '--route=direct'];
    await reposureOk(
      ['registry', 'create', 'bridged', `--host=${open.address}`, '--insecure', '--wait'],
      { env },
    );
    await reposureOk(pushing, { env });
    expect(await run('bridge', 'stop', inside)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`${other.address} (default/${inside} at https://`),
    });
    await run('bridge', 'stop', '--config-dir', join(directory, 'second'));
    const { stdout } = await run('bridge', 'stop', inside);
    expect(stdout.toString().trim().split('\n')).toEqual([
      `Stopped ${open.address}, default/${inside}`,
      expect.stringContaining(`/e2e/told@${digest}`),
    ]);
    expect(await digestAt(origin, 'e2e/told', '1')).toBe(digest);
  });

  it('that was killed is told from one that runs, and what it left is removed', async () => {
    const { directory, env } = relayed;
    const configDir = join(directory, 'killed');
    const words = ['bridge', inside, '--background', '--config-dir', configDir, '-o', 'json'];
    const { pid } = JSON.parse((await reposureOk(words, { env })).toString());
    process.kill(pid, 'SIGKILL');
    await expect.poll(async () => (await run('bridge', 'status')).stdout.toString()).toBe('');
    expect(existsSync(configDir)).toBe(false);
  });

  it.each([
    [
      'of a Registry that is not there',
      ['nowhere', '--background'],
      1,
      /Cannot find registry "nowhere"/,
    ],
    ['on a port that is none', [inside, '--port=70000'], 2, /Want a port/],
    ['without a Registry', [], 2, /missing required argument/],
  ])('%s is refused', async (_, words, status, message) => {
    const refused = await run('bridge', ...words);
    expect(refused).toMatchObject({ status, stderr: expect.stringMatching(message) });
  });
});

describe('bridge exec', { timeout: 60_000 }, () => {
  it.each([
    ['true', 0],
    ['exit 7', 7],
    ['kill -TERM $$', 143],
    ['exec no-such-program', 127],
  ])('ends as its command does: %s', async (line, status) => {
    expect((await withBridge(world(), line)).status).toBe(status);
  });

  it('is found while it runs, and its folder is its own', async () => {
    const configDir = join(relayed.directory, 'exec');
    const line = `$0 bridge status -o name; $0 bridge exec ${inside} --config-dir ${configDir} -- true || echo refused; ls $DOCKER_CONFIG`;
    const words = ['bridge', 'exec', inside, '--config-dir', configDir];
    const script = join(ownProgram.binFolder, 'reposure');
    const all = [...words, '--', 'sh', '-c', line, script];
    const { status, stdout, stderr } = await reposure(all, { env: relayed.env });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const said = stdout.toString().trim().split('\n');
    expect(said).toEqual([expect.stringMatching(/^localhost:\d+$/), 'refused', 'config.json']);
    expect(stderr).toContain(`the bridge ${said[0]} has its files there`);
    expect(existsSync(configDir)).toBe(false);
  });

  it('leaves nothing of one that was killed once another has begun', async () => {
    const temporary = join(relayed.directory, 'tmp');
    await mkdir(temporary);
    const env = { ...relayed.env, TMPDIR: temporary };
    const killed = await reposure(
      ['bridge', 'exec', inside, '--', 'sh', '-c', 'kill -KILL $PPID; sleep 1'],
      { env },
    );
    expect(killed.status).not.toBe(0);
    expect(await readdir(temporary)).toHaveLength(1);
    expect((await reposure(['bridge', 'exec', inside, '--', 'true'], { env })).status).toBe(0);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('leaves nothing behind, and its files go on with those of the user', async () => {
    const home = join(relayed.directory, 'home');
    const docker = join(home, '.docker');
    await runProgram(['mkdir', '-p', join(docker, 'cli-plugins')]);
    const own = { auths: { 'other.example': { auth: btoa('me:mine') } }, currentContext: 'here' };
    await runProgram(['tee', join(docker, 'config.json')], {
      input: Buffer.from(JSON.stringify(own)),
    });
    const line =
      'cat $DOCKER_CONFIG/config.json; ls $DOCKER_CONFIG >&2; dirname $DOCKER_CONFIG >&2';
    const { stdout, stderr } = await withBridge(world(), line, { env: { HOME: home } });
    const merged = JSON.parse(stdout.toString());
    expect(merged).toMatchObject({ ...own, auths: own.auths });
    expect(Object.keys(merged.auths)).toHaveLength(4);
    expect(stderr).toContain('cli-plugins');
    expect(existsSync(stderr.trim().split('\n').at(-1) ?? '')).toBe(false);
    expect(existsSync(join(docker, 'cli-plugins'))).toBe(true);
  });
});
