import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { InputError } from '../errors.ts';
import { dockerConfigCredentials } from './docker-config.ts';
import { AuthenticationError } from './registry-error.ts';

const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') });
const basic = (username: string, password: string): object => ({
  kind: 'basic',
  username,
  password,
});
const noHelper = (): never => {
  throw new AuthenticationError('no helper here');
};

describe('dockerConfigCredentials()', () => {
  it.each([
    ['host.io', 'team/app/x', 'app'],
    ['host.io', 'team/app', 'app'],
    ['host.io', 'team/apple', 'team'],
    ['host.io', 'teams/app', 'host'],
    ['host.io', undefined, 'host'],
    ['HOST.io', undefined, 'host'],
  ])('takes the most specific entry for %s %s', async (host, repository, username) => {
    const find = dockerConfigCredentials({
      auths: {
        'host.io': auth('host:1'),
        'host.io/team': auth('team:2'),
        'host.io/team/app': auth('app:3'),
      },
    });
    expect(await find(host, repository)).toMatchObject({ kind: 'basic', username });
  });

  it.each([
    ['host.io:443'],
    ['host.io:5000'],
    ['other.io'],
    ['o.io'],
    ['xhost.io'],
    ['host.io.evil'],
  ])('has no login of host.io for %s', async (host) => {
    const find = dockerConfigCredentials({ auths: { 'host.io': auth('a:b') } });
    expect(await find(host, 'x')).toBeUndefined();
  });

  it.each([
    ['https://index.docker.io/v1/', 'docker.io'],
    ['https://index.docker.io/v1/', 'registry-1.docker.io'],
    ['docker.io', 'index.docker.io'],
    ['https://host.io/v1/', 'host.io'],
    ['https://host.io/v2/', 'host.io'],
    ['host.io/v1/', 'host.io'],
    ['http://host.io:5000', 'host.io:5000'],
    ['host.io/', 'host.io'],
  ])('reads the key %s as %s', async (key, host) => {
    const find = dockerConfigCredentials({ auths: { [key]: auth('a:b') } });
    expect(await find(host, 'x/y')).toEqual(basic('a', 'b'));
  });

  it.each([
    ['only auth', auth('user:pa:ss'), basic('user', 'pa:ss')],
    ['fields', { username: 'user', password: 'pass' }, basic('user', 'pass')],
    ['an identity token', { ...auth('00:x'), identitytoken: 't' }, { kind: 'token', token: 't' }],
    ['a registry token', { registrytoken: 't' }, { kind: 'bearer', token: 't' }],
    ['an empty entry', {}, undefined],
    ['an empty auth', { auth: '' }, undefined],
  ])('reads %s', async (_, entry, expected) => {
    const find = dockerConfigCredentials({ auths: { 'host.io': entry } });
    expect(await find('host.io')).toEqual(expected);
  });

  it('refuses an auth that is none, without repeating it', async () => {
    const find = dockerConfigCredentials({ auths: { 'host.io': auth('hunter2') } });
    const failure: unknown = await find('host.io').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect(String(failure)).toContain('host.io');
    expect(String(failure)).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  it('asks the helper of the host, not the store', async () => {
    const asked: string[] = [];
    const find = dockerConfigCredentials(
      { credHelpers: { 'host.io': 'own' }, credsStore: 'store' },
      (helper, server) => {
        asked.push(`${helper} ${server}`);
        return Promise.resolve(undefined);
      },
    );
    await find('host.io', 'a/b');
    await find('other.io');
    await find('docker.io');
    expect(asked).toEqual(['own host.io', 'store other.io', 'store https://index.docker.io/v1/']);
  });

  it('takes the login in the file where the helper is missing, and fails where there is none', async () => {
    const config = { auths: { 'host.io': auth('a:b') }, credsStore: 'desktop' };
    const find = dockerConfigCredentials(config, noHelper);
    expect(await find('host.io')).toEqual(basic('a', 'b'));
    await expect(find('other.io')).rejects.toThrow('no helper here');
  });
});

describe('dockerConfigCredentials() of a file', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'reposure-docker-config-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('reads it anew, because Secrets are rotated', async () => {
    const file = join(directory, '.dockerconfigjson');
    const find = dockerConfigCredentials(file);
    await writeFile(file, JSON.stringify({ auths: { 'host.io': auth('a:old') } }));
    expect(await find('host.io')).toEqual(basic('a', 'old'));
    await writeFile(file, JSON.stringify({ auths: { 'host.io': auth('a:new') } }));
    expect(await find('host.io')).toEqual(basic('a', 'new'));
  });

  it.each([
    ['not JSON', '{"auths": hunter2', /is not JSON/],
    ['of another shape', '{"auths": {"host.io": "hunter2"}}', /auths\.host\.io/],
  ])('refuses what is %s, without repeating it', async (_, text, message) => {
    const file = join(directory, 'config.json');
    await writeFile(file, text);
    const failure: unknown = await dockerConfigCredentials(file)('host.io').catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(InputError);
    expect(String(failure)).toMatch(message);
    expect(String(failure)).not.toContain('hunter2');
  });

  it('says when there is no file', async () => {
    const find = dockerConfigCredentials(join(directory, 'none.json'));
    await expect(find('host.io')).rejects.toThrow(/none\.json: there is no such file/);
  });
});
