import { randomBytes } from 'node:crypto';

import { textOf } from './object.ts';
import type { StoredObject } from './object.ts';

/** Who makes a request. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}

/** Whoever shows no token. */
export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

interface Account {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What the tokens need of the store. */
interface Accounts {
  peek(resource: string, namespace: string | undefined, name: string): StoredObject | undefined;
}

/** Every bearer token that the API takes; they are random, and good until the account is gone. */
export class Tokens {
  /** The token of `kubernetes-admin`, who may do everything. */
  readonly adminToken = newToken();
  readonly #accounts = new Map<string, Account>();
  readonly #store: Accounts;

  constructor(store: Accounts) {
    this.#store = store;
  }

  /** A new token of a ServiceAccount. @throws {TypeError} if there is no such account. */
  issueToken(namespace: string, serviceAccount: string): string {
    const account = this.#store.peek('serviceaccounts', namespace, serviceAccount);
    if (!account) {
      throw new TypeError(
        `Cannot issue a token: there is no ServiceAccount ${namespace}/${serviceAccount}`,
      );
    }
    const token = newToken();
    this.#accounts.set(token, { namespace, name: serviceAccount, uid: account.metadata.uid });
    return token;
  }

  /** Whose token it is; `undefined` if nobody's. */
  lookup(token: string): User | undefined {
    if (token === this.adminToken) {
      return { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };
    }
    const account = this.#accounts.get(token);
    if (!account) return undefined;
    const { namespace, name, uid } = account;
    const current = this.#store.peek('serviceaccounts', namespace, name);
    if (textOf(current?.metadata.uid) !== uid) return undefined;
    return { ...serviceAccountUser(namespace, name), uid };
  }
}

/** A ServiceAccount as RBAC knows it. */
export function serviceAccountUser(namespace: string, name: string): User {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: [
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
      'system:authenticated',
    ],
  };
}

function newToken(): string {
  return randomBytes(32).toString('base64url');
}
