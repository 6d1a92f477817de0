import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { resourceTypes } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openUserShell } from '../support/user-shell.ts';
import type { ClusterWorld, UserShell } from '../support/user-shell.ts';
import type { Secret } from './secrets-inspection.ts';

/** A shell beside a simple registry with TLS, a login and a volume. */
export interface SimplePlace extends UserShell {
  /** What `GET /v2/` on the node port answers to this login. */
  readonly statusFor: (login?: string) => Promise<number>;
}

/** How the registry is installed, and how patient everybody is. */
export interface SimpleOptions {
  /** Where node ports answer. */
  readonly nodeAddress: string;
  /** Of `simple install`: which volume. */
  readonly storage: string;
  /** How long clients get to learn of a new CA or login. */
  readonly settle: string;
  /** Have the operator look at once, which it else does twice a minute. */
  readonly isHasty: boolean;
}

/**
 * A simple registry in its later life: users come and go, its CA and its login are replaced while
 * images are pushed.
 *
 * @param more Registers further tests, which run while the registry is there.
 */
export function describeSimple(
  title: string,
  given: () => { readonly world: ClusterWorld; readonly options: SimpleOptions },
  more: (place: () => SimplePlace) => void = () => {},
): void {
  describe(`${title}, the simple registry`, { timeout: 900_000 }, () => {
    let place: SimplePlace;

    beforeAll(async () => {
      const { world, options } = given();
      const shell = await openUserShell(world);
      await Promise.all([
        shell.ok('reposure operator install --wait'),
        shell.ok(`reposure simple install --tls --login --node-port ${options.storage} --wait`),
      ]);
      await shell.ok('reposure registry create default --provider=simple --wait');
      place = { ...shell, statusFor: await askerOf(shell, options.nodeAddress) };
    }, 180_000);

    afterAll(async () => {
      await place?.close();
    });

    describeUsers(() => place);
    describeRotation(
      () => place,
      () => given().options,
    );
    more(() => place);
  });
}

function describeUsers(place: () => SimplePlace): void {
  it('lets in who is added, and no more who is removed, without a restart', async () => {
    const { ok, run, statusFor } = place();
    const [pod] = await podNames(place());
    expect(await statusFor()).toBe(401);
    expect(await statusFor('alice:in-wonderland')).toBe(401);
    await ok('reposure simple user add alice --password-stdin', Buffer.from('in-wonderland\n'));
    const soon = { timeout: 100_000, interval: 500 };
    await expect.poll(() => statusFor('alice:in-wonderland'), soon).toBe(200);
    const again = await run('reposure simple user add alice');
    expect([again.status, again.stderr]).toEqual([
      2,
      expect.stringContaining('it is there already'),
    ]);
    expect(await ok('reposure simple user list')).toMatch(/reposure +surrogates\nalice/);
    const { password } = JSON.parse(await ok('reposure simple user rotate alice -o json'));
    await expect.poll(() => statusFor(`alice:${password}`), soon).toBe(200);
    expect(await statusFor('alice:in-wonderland')).toBe(401);
    await ok('reposure simple user remove alice');
    await expect.poll(() => statusFor(`alice:${password}`), soon).toBe(401);
    expect(await podNames(place())).toEqual([pod]);
  });

  it.each([
    ['remove reposure', /login of surrogates/],
    ['remove nobody', /there is reposure/],
    ['add a:b --password-file password', /user name "a:b"/],
    ['add bob --password-file nowhere', /nowhere cannot be read/],
  ])('refuses: user %s', async (words, message) => {
    await writeFile(join(place().directory, 'password'), 'secret\n');
    const { status, stderr } = await place().run(`reposure simple user ${words}`);
    expect([status, stderr]).toEqual([expect.toBeOneOf([1, 2]), expect.stringMatching(message)]);
  });
}

function describeRotation(place: () => SimplePlace, options: () => SimpleOptions): void {
  it('loses no push while its CA and its login are replaced', async () => {
    const { ok, kubernetes, namespace } = place();
    const { settle, isHasty } = options();
    const before = await certificatesOf(place());
    const ending = new AbortController();
    const pushing = pushUntil(ending.signal, place());
    const nudging = isHasty ? nudgeUntil(ending.signal, place()) : Promise.resolve();
    try {
      await Promise.all([
        ok(`reposure simple renew --ca --settle ${settle} --timeout 20m --wait`),
        ok(`reposure simple user rotate --settle ${settle}`),
      ]);
      // And some more, with what is new alone.
      await delay(3000);
    } finally {
      ending.abort();
    }
    const [pushes] = await Promise.all([pushing, nudging]);
    expect(pushes.filter(({ status }) => status !== 0)).toEqual([]);
    expect(pushes.length).toBeGreaterThan(2);
    const after = await certificatesOf(place());
    expect(after['ca.crt']).not.toContain(before['ca.crt']);
    expect(after['tls.crt']).not.toBe(before['tls.crt']);
    const users = JSON.parse(await ok('reposure simple user list -o json')) as { name: string }[];
    expect(users).toEqual([{ name: expect.stringMatching(/^reposure-\w{8}$/), isOwn: true }]);
    const status = JSON.parse(await ok('reposure simple status -o json'));
    expect(status).toMatchObject({ users: 1, tls: { authority: { phase: 'steady' } } });
    const registry = await kubernetes.get<Registry>(resourceTypes.Registry, 'default', namespace);
    expect(registry.spec.tlsSecret).toBe(names.simpleTls);
  });
}

interface Push {
  readonly status: number | null;
  readonly stderr: string;
}

/** Pushes something new, again and again. */
async function pushUntil(signal: AbortSignal, { directory, run }: UserShell): Promise<Push[]> {
  const pushes: Push[] = [];
  while (!signal.aborted) {
    await writeFile(join(directory, 'pushed.bin'), randomBytes(100_000));
    const { status, stderr } = await run(
      `reposure image push default team/app:${pushes.length} pushed.bin`,
    );
    pushes.push({ status, stderr });
  }
  return pushes;
}

/** Touches the Registry now and then, so that the operator looks at its Secrets. */
async function nudgeUntil(
  signal: AbortSignal,
  { kubernetes, namespace }: UserShell,
): Promise<void> {
  while (!signal.aborted) {
    const registry = await kubernetes.get<Registry>(resourceTypes.Registry, 'default', namespace);
    const annotations = { ...registry.metadata.annotations, nudged: new Date().toISOString() };
    const metadata = { ...registry.metadata, annotations };
    // A conflict with the operator does no harm: there is another one soon.
    await kubernetes.replace({ ...registry, metadata }).catch(() => {});
    await delay(2000, undefined, { signal }).catch(() => {});
  }
}

async function certificatesOf({
  kubernetes,
  namespace,
}: UserShell): Promise<{ 'ca.crt': string; 'tls.crt': string }> {
  const { data } = await kubernetes.get<Secret>(resourceTypes.Secret, names.simpleTls, namespace);
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
  return { 'ca.crt': text('ca.crt'), 'tls.crt': text('tls.crt') };
}

/** The Pods of the registry. */
export async function podNames({ kubernetes, namespace }: UserShell): Promise<string[]> {
  const labelSelector = `app.kubernetes.io/name=${names.simple}`;
  const { items } = await kubernetes.list(resourceTypes.Pod, { namespace, labelSelector });
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
}

async function askerOf(
  shell: UserShell,
  nodeAddress: string,
): Promise<(login?: string) => Promise<number>> {
  const [, port] = (await shell.ok('reposure simple host')).trim().split(':');
  return async (login) => {
    const { 'ca.crt': ca } = await certificatesOf(shell);
    const headers = login
      ? { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
      : undefined;
    const asked = request({
      host: nodeAddress,
      port,
      path: '/v2/',
      ca,
      // One of the names that the certificate is for.
      servername: 'localhost',
      agent: false,
      ...(headers ? { headers } : {}),
    }).end();
    const [answer] = await once(asked, 'response');
    answer.resume();
    return answer.statusCode;
  };
}
