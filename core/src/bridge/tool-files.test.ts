import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { describeOwner, ownOwner, startTimeOf } from '../process-owner.ts';
import { releaseFolder } from './claimed-folder.ts';
import { newBridgeLogin } from './login.ts';
import { writeToolFiles } from './tool-files.ts';
import type { OwnFilesEnv } from './tool-files.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tool-files-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const login = newBridgeLogin();
const host = 'localhost:5001';

async function written(
  env: OwnFilesEnv,
): Promise<{ docker: unknown; auth: unknown; conf: string }> {
  const place = join(folder, 'bridge');
  const files = await writeToolFiles(place, { port: 5001, address: host, login, env });
  const json = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'));
  return {
    docker: await json(join(files.DOCKER_CONFIG, 'config.json')),
    auth: await json(files.REGISTRY_AUTH_FILE),
    conf: await readFile(files.CONTAINERS_REGISTRIES_CONF, 'utf8'),
  };
}

describe('writeToolFiles()', () => {
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');

  it('adds the bridge to what the tools have of their own', async () => {
    const own = join(folder, 'own');
    await mkdir(own);
    await writeFile(join(own, 'config.json'), '{"auths":{"a":{"auth":"YTph"}},"credsStore":"x"}');
    await writeFile(join(own, 'conf'), 'unqualified-search-registries = ["example.com"]\n');
    const env = { DOCKER_CONFIG: own, CONTAINERS_REGISTRIES_CONF: join(own, 'conf'), HOME: own };
    const { docker, auth: podman, conf } = await written(env);
    // Where there is a store of logins, docker looks for this one in the file all the same.
    expect(docker).toMatchObject({
      auths: { a: { auth: 'YTph' }, [host]: { auth } },
      credsStore: 'x',
      credHelpers: { [host]: '' },
    });
    expect(podman).toMatchObject({ auths: { a: { auth: 'YTph' }, [host]: { auth } } });
    expect(conf).toMatch(
      /^unqualified.*\[\[registry\]\]\nlocation = "localhost:5001"\ninsecure = true/s,
    );
  });

  it('leaves out settings of the first version, which no others can stand beside', async () => {
    await writeFile(join(folder, 'conf'), "[registries.search]\nregistries = ['example.com']\n");
    const { conf } = await written({ CONTAINERS_REGISTRIES_CONF: join(folder, 'conf') });
    expect(conf).not.toContain('registries.search');
  });

  it('refuses logins that are none, without a word of what is in them', async () => {
    await writeFile(join(folder, 'config.json'), 'secret');
    const failure = await written({ DOCKER_CONFIG: folder }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'INPUT_INVALID' });
    expect(String(failure)).not.toContain('secret');
  });

  it('refuses a folder that others may write to', async () => {
    const place = join(folder, 'bridge');
    await mkdir(place);
    await chmod(place, 0o777);
    expect(await written({}).catch((error: unknown) => error)).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('want a folder of your own, mode 0700'),
    });
  });

  it.each(['docker', 'auth.json', 'registries.conf'])(
    'refuses a folder that has %s already, and leaves it alone',
    async (name) => {
      const place = join(folder, 'bridge');
      await mkdir(place, { mode: 0o700 });
      if (name === 'docker') await mkdir(join(place, name));
      const file = join(place, name === 'docker' ? 'docker/Dockerfile' : name);
      await writeFile(file, 'mine');
      expect(await written({}).catch((error: unknown) => error)).toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining(name),
      });
      await releaseFolder(place);
      expect(await readFile(file, 'utf8')).toBe('mine');
    },
  );

  it('keeps out another bridge while it lives, takes over from one that was killed', async () => {
    const place = join(folder, 'bridge');
    await mkdir(place, { mode: 0o700 });
    await written({});
    const claim = join(place, '.reposure-bridge');
    const { owner, ...rest } = JSON.parse(await readFile(claim, 'utf8')) as { owner: string };
    const ownedBy = (other: string): Promise<void> =>
      writeFile(claim, JSON.stringify({ ...rest, owner: other }));
    // Its number, and when it began: this one began when the test's own parent did not.
    await ownedBy(owner.replace(/\d+$/, (time) => String(Number(time) + 1)));
    await written({});
    const parent = { ...(await ownOwner()), pid: process.ppid };
    await ownedBy(describeOwner({ ...parent, startTime: await startTimeOf(process.ppid) }));
    expect(await written({}).catch((error: unknown) => error)).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(`the bridge ${host} has its files there`),
    });
    await releaseFolder(place);
    expect(await readdir(place)).toContain('auth.json');
    await ownedBy(owner);
    await releaseFolder(place);
    // It was there before.
    expect(await readdir(place)).toEqual([]);
  });

  it('lets one of two have a folder that begin at the same time', async () => {
    const outcomes = await Promise.allSettled([written({}), written({})]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('goes by the user’s own files where those of an earlier bridge are still named', async () => {
    const own = join(folder, '.docker');
    await mkdir(own);
    await writeFile(join(own, 'config.json'), '{"auths":{"a":{"auth":"YTph"}}}');
    const gone = join(folder, 'gone');
    const ended = {
      DOCKER_CONFIG: join(gone, 'docker'),
      REGISTRY_AUTH_FILE: join(gone, 'auth.json'),
      CONTAINERS_REGISTRIES_CONF: join(gone, 'registries.conf'),
    };
    const { docker, auth: podman } = await written({ ...ended, HOME: folder });
    for (const each of [docker, podman])
      expect(each).toMatchObject({ auths: { a: { auth: 'YTph' } } });
    await releaseFolder(join(folder, 'bridge'));
    // What the user has set otherwise is what the user wants.
    const elsewhere = { ...ended, DOCKER_CONFIG: join(folder, 'none'), HOME: folder };
    expect((await written(elsewhere)).docker).not.toMatchObject({ auths: { a: {} } });
  });

  it('is undone, and what is somebody else’s stays', async () => {
    const own = join(folder, 'own');
    await mkdir(join(own, 'contexts'), { recursive: true });
    await written({ DOCKER_CONFIG: own });
    const place = join(folder, 'bridge');
    expect(await readdir(join(place, 'docker'))).toEqual(['config.json', 'contexts']);
    await writeFile(join(place, 'mine'), '');
    await releaseFolder(place);
    expect(await readdir(place)).toEqual(['mine']);
    expect(await readdir(own)).toEqual(['contexts']);
  });
});
