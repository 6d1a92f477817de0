import { describe, expect, it } from 'vitest';

import { MemoryCluster } from '../../../test/support/memory-cluster.ts';
import { KubernetesError, resourceTypes } from '../kubernetes/index.ts';
import type { ApiObject } from '../kubernetes/index.ts';
import type { Secret } from '../providers/index.ts';
import { checkLogin, isAdmitted, usersIn, withoutUser, withUser } from './simple-htpasswd.ts';
import { installSimple } from './simple-install.ts';
import { hostsIn, loginIn } from './simple-login.ts';
import { addUser, listUsers, removeUser, rotateLogin, setPassword } from './simple-users.ts';

const namespace = 'ci';
const alice = { username: 'alice', password: 'in-wonderland' };

async function textOf(cluster: MemoryCluster, name: string, key: string): Promise<string> {
  const secret = await cluster.get<Secret>(resourceTypes.Secret, name, namespace);
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
}

async function htpasswdOf(cluster: MemoryCluster): Promise<string> {
  return textOf(cluster, 'reposure-simple-htpasswd', 'htpasswd');
}

async function installed(): Promise<MemoryCluster> {
  const cluster = new MemoryCluster();
  await installSimple(cluster, { namespace, login: true, nodePort: 30_500 });
  return cluster;
}

describe('users of the simple registry', () => {
  it('come and go, and leave the surrogates’ login alone', async () => {
    const cluster = await installed();
    const config = await textOf(cluster, 'reposure-simple-login', '.dockerconfigjson');
    await addUser(cluster, alice, { namespace });
    expect(await listUsers(cluster, namespace)).toEqual([
      { name: 'reposure', isOwn: true },
      { name: 'alice', isOwn: false },
    ]);
    expect(await isAdmitted(await htpasswdOf(cluster), alice)).toBe(true);
    await setPassword(cluster, { ...alice, password: 'other' }, { namespace });
    expect(await isAdmitted(await htpasswdOf(cluster), alice)).toBe(false);
    await installSimple(cluster, { namespace, login: true, nodePort: 30_500 });
    expect(usersIn(await htpasswdOf(cluster))).toContain('alice');
    await removeUser(cluster, 'alice', { namespace });
    expect(usersIn(await htpasswdOf(cluster))).toEqual(['reposure']);
    expect(await textOf(cluster, 'reposure-simple-login', '.dockerconfigjson')).toBe(config);
    expect(await isAdmitted(await htpasswdOf(cluster), loginIn(config) ?? alice)).toBe(true);
  });

  it.each([
    [
      'add one twice',
      (c: MemoryCluster) => addUser(c, { ...alice, username: 'reposure' }, { namespace }),
      /is there already/,
    ],
    [
      'remove the surrogates’',
      (c: MemoryCluster) => removeUser(c, 'reposure', { namespace }),
      /login of surrogates/,
    ],
    [
      'change the surrogates’',
      (c: MemoryCluster) => setPassword(c, { ...alice, username: 'reposure' }, { namespace }),
      /login of surrogates/,
    ],
    [
      'remove one who is not there',
      (c: MemoryCluster) => removeUser(c, 'bob', { namespace }),
      /there is reposure/,
    ],
    [
      'add one with a colon',
      (c: MemoryCluster) => addUser(c, { ...alice, username: 'a:b' }, { namespace }),
      /user name "a:b"/,
    ],
  ])('refuses to %s', async (_, change, message) => {
    const cluster = await installed();
    const before = await htpasswdOf(cluster);
    await expect(change(cluster)).rejects.toThrow(message);
    expect(await htpasswdOf(cluster)).toBe(before);
  });

  it('wants a registry that asks for a login', async () => {
    const cluster = new MemoryCluster();
    await expect(listUsers(cluster, namespace)).rejects.toThrow(/is not installed/);
    await installSimple(cluster, { namespace });
    await expect(listUsers(cluster, namespace)).rejects.toThrow(/asks for no login/);
  });

  it('loses nobody whom somebody else adds at the same time', async () => {
    const cluster = await installed();
    const replace = cluster.replace.bind(cluster);
    let others = 1;
    cluster.replace = async <T extends ApiObject>(object: T): Promise<T> => {
      if (object.kind !== 'Secret' || others-- <= 0) return replace(object);
      cluster.replace = replace;
      await addUser(cluster, { ...alice, username: 'bob' }, { namespace });
      return replace(object);
    };
    await addUser(cluster, alice, { namespace });
    expect(usersIn(await htpasswdOf(cluster))).toEqual(['reposure', 'bob', 'alice']);
  });
});

describe('rotateLogin()', () => {
  it('has the registry know a login before, and as long as, clients use it', async () => {
    const cluster = await installed();
    const seen: boolean[] = [];
    const replace = cluster.replace.bind(cluster);
    cluster.replace = async <T extends ApiObject>(object: T): Promise<T> => {
      const replaced = await replace(object);
      const config = await textOf(cluster, 'reposure-simple-login', '.dockerconfigjson');
      const login = loginIn(config);
      seen.push(login !== undefined && (await isAdmitted(await htpasswdOf(cluster), login)));
      return replaced;
    };
    await addUser(cluster, alice, { namespace });
    const before = loginIn(await textOf(cluster, 'reposure-simple-login', '.dockerconfigjson'));
    const username = await rotateLogin(cluster, { namespace, settleMs: 1 });
    const config = await textOf(cluster, 'reposure-simple-login', '.dockerconfigjson');
    expect(loginIn(config)?.username).toBe(username);
    expect(hostsIn(config)).toEqual(['reposure-simple.ci.svc:5000', 'localhost:30500']);
    expect(usersIn(await htpasswdOf(cluster))).toEqual(['alice', username]);
    expect(await isAdmitted(await htpasswdOf(cluster), before ?? alice)).toBe(false);
    expect(seen).toEqual([true, true, true, true]);
  });

  it('ends what a rotation that was interrupted has left', async () => {
    const cluster = await installed();
    const interrupted = { namespace, settleMs: 10_000, signal: AbortSignal.timeout(1) };
    await expect(rotateLogin(cluster, interrupted)).rejects.toThrow(/abort/);
    expect(usersIn(await htpasswdOf(cluster))).toHaveLength(2);
    const username = await rotateLogin(cluster, { namespace, settleMs: 1 });
    expect(usersIn(await htpasswdOf(cluster))).toEqual([username]);
  });

  it('says so if others keep changing the users', async () => {
    const cluster = await installed();
    cluster.replace = async () => {
      throw new KubernetesError('change it', { status: 409 });
    };
    await expect(addUser(cluster, alice, { namespace })).rejects.toMatchObject({ status: 409 });
  });
});

describe('htpasswd files', () => {
  it('want the name and the password', async () => {
    const file = await withUser(await withUser('', alice), { username: 'alic', password: 'x' });
    expect(await isAdmitted(file, alice)).toBe(true);
    expect(await isAdmitted(file, { ...alice, password: 'other' })).toBe(false);
    expect(await isAdmitted(file, { ...alice, username: 'ali' })).toBe(false);
    expect(usersIn(withoutUser(file, 'alic'))).toEqual(['alice']);
  });

  it.each([
    ['a:b', 'x'],
    ['', 'x'],
    ['#a', 'x'],
    ['a b', 'x'],
    ['a\nb', 'x'],
    ['a', ''],
    ['a', 'x\ny'],
    ['a', 'ü'.repeat(37)],
  ])('take no user %j with password %j', (username, password) => {
    expect(() => checkLogin({ username, password })).toThrow(/^Cannot use/);
  });
});
