import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { newBridgeLogin } from './login.ts';
import { removeToolFiles, writeToolFiles } from './tool-files.ts';
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

  it('is undone, and what is somebody else’s stays', async () => {
    const own = join(folder, 'own');
    await mkdir(join(own, 'contexts'), { recursive: true });
    await written({ DOCKER_CONFIG: own });
    const place = join(folder, 'bridge');
    expect(await readdir(join(place, 'docker'))).toEqual(['config.json', 'contexts']);
    await writeFile(join(place, 'mine'), '');
    await removeToolFiles(place);
    expect(await readdir(place)).toEqual(['mine']);
    expect(await readdir(own)).toEqual(['contexts']);
  });
});
