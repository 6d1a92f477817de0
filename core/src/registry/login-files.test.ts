import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { loginFiles } from './login-files.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'login-files-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function writeLogin(path: string, host: string, user: string): Promise<string> {
  const file = join(directory, path);
  await mkdir(dirname(file), { recursive: true });
  const auths = { [host]: { auth: Buffer.from(`${user}:secret`).toString('base64') } };
  await writeFile(file, JSON.stringify({ auths }));
  return file;
}

describe('loginFiles()', () => {
  it('looks in the home folder, in DOCKER_CONFIG instead, and in the file of podman before', async () => {
    await writeLogin('home/.docker/config.json', 'h:1', 'home');
    const HOME = join(directory, 'home');
    expect(await loginFiles({ HOME })('h:1')).toMatchObject({ username: 'home' });
    expect(await loginFiles({ USERPROFILE: HOME })('h:1')).toMatchObject({ username: 'home' });
    await writeLogin('docker/config.json', 'h:1', 'docker');
    const DOCKER_CONFIG = join(directory, 'docker');
    expect(await loginFiles({ HOME, DOCKER_CONFIG })('h:1')).toMatchObject({ username: 'docker' });
    await writeLogin('run/containers/auth.json', 'h:1', 'podman');
    const env = { HOME, DOCKER_CONFIG, XDG_RUNTIME_DIR: join(directory, 'run') };
    expect(await loginFiles(env)('h:1')).toMatchObject({ username: 'podman' });
    await writeLogin('docker/config.json', 'other:1', 'docker');
    expect(await loginFiles(env)('other:1')).toMatchObject({ username: 'docker' });
  });

  it('looks in REGISTRY_AUTH_FILE and nowhere else if it is set', async () => {
    await writeLogin('home/.docker/config.json', 'h:1', 'home');
    const REGISTRY_AUTH_FILE = await writeLogin('own.json', 'other:1', 'own');
    const env = { HOME: join(directory, 'home'), REGISTRY_AUTH_FILE };
    expect(await loginFiles(env)('other:1')).toMatchObject({ username: 'own' });
    expect(await loginFiles(env)('h:1')).toBeUndefined();
    await rm(REGISTRY_AUTH_FILE);
    await expect(loginFiles(env)('h:1')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('finds nothing where nobody logged in', async () => {
    expect(await loginFiles({})('h:1')).toBeUndefined();
    expect(await loginFiles({ HOME: directory })('h:1')).toBeUndefined();
  });
});
