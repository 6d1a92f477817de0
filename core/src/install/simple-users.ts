import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { InputError, NotFoundError } from '../errors.ts';
import { KubernetesError } from '../kubernetes/index.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import type { Secret } from '../providers/index.ts';
import { names } from '../resource/index.ts';
import { findSecret, putSecret, secretTextsOf } from './owned-secret.ts';
import type { WantedSecret } from './owned-secret.ts';
import { findSimple, mountedSecret } from './simple-deployment.ts';
import { isAdmitted, usersIn, withoutUser, withUser } from './simple-htpasswd.ts';
import { dockerConfigOf, hostsIn, loginIn, makePassword } from './simple-login.ts';
import type { Login } from './simple-login.ts';
import { wakeKubelets } from './wake-kubelets.ts';

const ownUser = 'reposure';
const dockerConfigKey = '.dockerconfigjson';
/** The kubelet hands a changed Secret to a Pod within two minutes, whatever else keeps it busy. */
const defaultSettleMs = 120_000;

/** Somebody whom the simple registry lets in. */
export interface SimpleUser {
  readonly name: string;
  /** It is the login of surrogates and of `registry info`. */
  readonly isOwn: boolean;
}

/** Whom the simple registry lets in. @throws {NotFoundError} if it asks for no login. */
export async function listUsers(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<SimpleUser[]> {
  const { htpasswd, own } = await readUsers(kubernetes, namespace);
  return usersIn(htpasswd).map((name) => ({ name, isOwn: name === own?.username }));
}

/** How users are changed. */
export interface UserOptions {
  readonly namespace: string;
  readonly log?: Log | undefined;
}

/**
 * Lets somebody in; running Pods read it by themselves.
 *
 * @throws {InputError} if that user is there already, or the login cannot be used.
 */
export async function addUser(
  kubernetes: KubernetesClient,
  login: Login,
  options: UserOptions,
): Promise<void> {
  await changeUsers(kubernetes, options, async ({ htpasswd }) => {
    if (usersIn(htpasswd).includes(login.username)) {
      throw new InputError(
        `Cannot add user "${login.username}": it is there already; for another password: reposure simple user rotate ${login.username}`,
      );
    }
    return withUser(htpasswd, login);
  });
}

/** Gives somebody another password; the former one counts no more. */
export async function setPassword(
  kubernetes: KubernetesClient,
  login: Login,
  options: UserOptions,
): Promise<void> {
  await changeUsers(kubernetes, options, async (users) => {
    requireOther('change', login.username, users);
    return withUser(users.htpasswd, login);
  });
}

/** Lets somebody in no more. */
export async function removeUser(
  kubernetes: KubernetesClient,
  username: string,
  options: UserOptions,
): Promise<void> {
  await changeUsers(kubernetes, options, async (users) => {
    requireOther('remove', username, users);
    return withoutUser(users.htpasswd, username);
  });
}

function requireOther(verb: string, username: string, { htpasswd, own }: Users): void {
  if (!usersIn(htpasswd).includes(username)) {
    throw new NotFoundError(
      `Cannot ${verb} user "${username}": there is ${usersIn(htpasswd).join(', ') || 'nobody'}`,
    );
  }
  if (username !== own?.username) return;
  throw new InputError(
    `Cannot ${verb} user "${username}": it is the login of surrogates; for another one: reposure simple user rotate`,
  );
}

/** How the surrogates' login is rotated. */
export interface RotateLoginOptions extends UserOptions {
  /** How long the registry, and then its clients, are given to learn of the new login. */
  readonly settleMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gives surrogates another login, and ends the former one, without a request that is refused: the
 * registry knows both names until every client has the new one. If it is interrupted, the former
 * login still counts; the next rotation ends it.
 *
 * @returns The new user's name.
 */
export async function rotateLogin(
  kubernetes: KubernetesClient,
  options: RotateLoginOptions,
): Promise<string> {
  const { namespace, log = silent, settleMs = defaultSettleMs, signal } = options;
  const settle = (): Promise<void> => delay(settleMs, undefined, signal ? { signal } : {});
  const username = `${ownUser}-${randomBytes(4).toString('hex')}`;
  const login = { username, password: makePassword() };
  const { own } = await readUsers(kubernetes, namespace);
  await changeUsers(kubernetes, options, ({ htpasswd }) => withUser(htpasswd, login));
  log.info(`The registry learns of user ${username}: ${settleMs / 1000} s`);
  await settle();
  const before = await findSecret(kubernetes, names.simpleLogin, namespace);
  await putLogin(kubernetes, { before, namespace, login, hosts: [], log });
  await wakeKubelets(kubernetes, namespace);
  log.info(`Clients learn of user ${username}: ${settleMs / 1000} s`);
  await settle();
  await changeUsers(kubernetes, options, async ({ htpasswd }) =>
    usersIn(htpasswd)
      .filter((each) => each !== username && (each === own?.username || isFormerOwn(each)))
      .reduce(withoutUser, htpasswd),
  );
  return username;
}

function isFormerOwn(username: string): boolean {
  return /^reposure-[0-9a-f]{8}$/.test(username);
}

/** How the login of surrogates is made sure of. */
export interface EnsureLoginOptions {
  readonly given: Login | undefined;
  /** Every name of the registry. */
  readonly hosts: readonly string[];
  readonly log: Log;
}

/**
 * Makes sure that the simple registry knows a login, and that clients find it under every name of
 * the registry: the one that is given, else the one that is there, else a new one. Other users stay.
 */
export async function ensureLogin(
  kubernetes: KubernetesClient,
  namespace: string,
  { given, hosts, log }: EnsureLoginOptions,
): Promise<void> {
  const before = await findSecret(kubernetes, names.simpleLogin, namespace);
  const former = loginIn(secretTextsOf(before)[dockerConfigKey] ?? '');
  const login = given ?? former ?? { username: ownUser, password: makePassword() };
  const file = await findSecret(kubernetes, names.simpleHtpasswd, namespace);
  const { htpasswd = '' } = secretTextsOf(file);
  const isReplaced = former !== undefined && former.username !== login.username;
  const others = isReplaced ? withoutUser(htpasswd, former.username) : htpasswd;
  const wanted = (await isAdmitted(others, login)) ? others : await withUser(others, login);
  await putSecret(kubernetes, file, htpasswdSecret(namespace, wanted), log);
  await putLogin(kubernetes, { before, namespace, login, hosts, log });
}

interface PutLoginOptions {
  readonly before: Secret | undefined;
  readonly namespace: string;
  readonly login: Login;
  /** As before, if there are none. */
  readonly hosts: readonly string[];
  readonly log: Log;
}

async function putLogin(kubernetes: KubernetesClient, options: PutLoginOptions): Promise<void> {
  const { before, namespace, login, hosts, log } = options;
  const known = hosts.length > 0 ? hosts : hostsIn(secretTextsOf(before)[dockerConfigKey] ?? '');
  const type = 'kubernetes.io/dockerconfigjson';
  const texts = { [dockerConfigKey]: dockerConfigOf(login, known) };
  await putSecret(kubernetes, before, { name: names.simpleLogin, namespace, type, texts }, log);
}

interface Users {
  readonly secret: Secret | undefined;
  readonly htpasswd: string;
  readonly own: Login | undefined;
}

async function readUsers(kubernetes: KubernetesClient, namespace: string): Promise<Users> {
  const deployment = await findSimple(kubernetes, namespace);
  if (deployment === undefined || mountedSecret(deployment, 'htpasswd') === undefined) {
    const state = deployment ? 'asks for no login' : 'is not installed';
    throw new NotFoundError(
      `Cannot find users: the simple registry of namespace "${namespace}" ${state}; want: reposure simple install with --login and --tls, beside the options that it was installed with`,
    );
  }
  const secret = await findSecret(kubernetes, names.simpleHtpasswd, namespace);
  const login = await findSecret(kubernetes, names.simpleLogin, namespace);
  return {
    secret,
    htpasswd: secretTextsOf(secret)['htpasswd'] ?? '',
    own: loginIn(secretTextsOf(login)[dockerConfigKey] ?? ''),
  };
}

/** Reads, changes and writes; anew if somebody else wrote in between. */
async function changeUsers(
  kubernetes: KubernetesClient,
  { namespace, log = silent }: UserOptions,
  change: (users: Users) => Promise<string>,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const users = await readUsers(kubernetes, namespace);
    const wanted = htpasswdSecret(namespace, await change(users));
    try {
      await putSecret(kubernetes, users.secret, wanted, log);
      return await wakeKubelets(kubernetes, namespace);
    } catch (error) {
      const isConflict = error instanceof KubernetesError && error.status === 409;
      if (!isConflict || tries === 3) throw error;
    }
  }
}

function htpasswdSecret(namespace: string, htpasswd: string): WantedSecret {
  return { name: names.simpleHtpasswd, namespace, texts: { htpasswd } };
}
