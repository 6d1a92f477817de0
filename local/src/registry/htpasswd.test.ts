import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { InputError } from '@reposure/core';
import { hash } from 'bcryptjs';
import { describe, expect, it } from 'vitest';

import { parseHtpasswd } from './htpasswd.ts';
import { codeOf, startFixture } from './test/fixture.ts';
import type { Fixture } from './test/fixture.ts';

interface Protected extends AsyncDisposable {
  readonly fixture: Fixture;
  readonly file: string;
}

async function lineOf(user: string, password: string): Promise<string> {
  // The prefix that htpasswd writes; 4 rounds, because the tests need not be slow.
  return `${user}:${(await hash(password, 4)).replace('$2b$', '$2y$')}\n`;
}

async function startProtected(): Promise<Protected> {
  const directory = await mkdtemp(join(tmpdir(), 'reposure-htpasswd-'));
  const file = join(directory, 'htpasswd');
  await writeFile(file, await lineOf('ann', 'pass:word'));
  const fixture = await startFixture({ htpasswdFile: file, realm: 'the registry' });
  return {
    fixture,
    file,
    [Symbol.asyncDispose]: async () => {
      await fixture[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

async function statusOf({ send }: Fixture, login?: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(login ?? '').toString('base64')}`;
  const headers = login === undefined ? {} : { Authorization: authorization };
  return (await send('GET', '/v2/', { headers })).status;
}

describe('a registry with a login', () => {
  it('says how to log in', async () => {
    await using guarded = await startProtected();
    const response = await guarded.fixture.send('GET', '/v2/');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Basic realm="the registry"');
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    expect(await codeOf(response)).toBe('UNAUTHORIZED');
  });

  it('tells a stranger nothing but that it lives', async () => {
    await using guarded = await startProtected();
    expect((await guarded.fixture.send('GET', '/')).status).toBe(200);
    expect((await guarded.fixture.send('GET', '/v2/_catalog')).status).toBe(401);
    expect((await guarded.fixture.send('POST', '/v2/a/blobs/uploads/')).status).toBe(401);
    expect((await guarded.fixture.send('GET', '/v2/NOT A NAME/tags/list')).status).toBe(401);
  });

  it.each([
    ['the right password', 'ann:pass:word', 200],
    ['a wrong password', 'ann:word', 401],
    ['no password', 'ann', 401],
    ['an unknown user', 'bob:pass:word', 401],
  ])('answers %s', async (_, login, status) => {
    await using guarded = await startProtected();
    // Twice: the second answer comes from memory, if there is one.
    expect(await statusOf(guarded.fixture, login)).toBe(status);
    expect(await statusOf(guarded.fixture, login)).toBe(status);
  });

  it('follows its file', async () => {
    await using guarded = await startProtected();
    expect(await statusOf(guarded.fixture, 'ann:pass:word')).toBe(200);
    await writeFile(guarded.file, `${await lineOf('bob', 'another')}# ann is gone\n`);
    expect(await statusOf(guarded.fixture, 'ann:pass:word')).toBe(401);
    expect(await statusOf(guarded.fixture, 'bob:another')).toBe(200);
    await rm(guarded.file);
    expect(await statusOf(guarded.fixture, 'bob:another')).toBe(401);
    await writeFile(guarded.file, await lineOf('cat', 'third'));
    expect(await statusOf(guarded.fixture, 'cat:third')).toBe(200);
  });

  it('does not start without its file', async () => {
    await expect(startFixture({ htpasswdFile: '/does/not/exist' })).rejects.toThrow(InputError);
  });
});

describe('parseHtpasswd()', () => {
  it('takes bcrypt lines and no others', () => {
    const file =
      '# users\n\nann:$2y$05$abc\r\nbob:{SHA}abc\ncat:plain\n:$2y$05$abc\ndan:$2b$10$d\n';
    expect([...parseHtpasswd(file)]).toEqual([
      ['ann', '$2y$05$abc'],
      ['dan', '$2b$10$d'],
    ]);
  });
});
