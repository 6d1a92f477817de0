import type { IncomingMessage } from 'node:http';

import { forbidden, isAllowed } from './rbac.ts';
import type { Roles } from './rbac.ts';
import { StatusError } from './status.ts';
import { anonymous, serviceAccountUser } from './tokens.ts';
import type { Tokens, User } from './tokens.ts';

/**
 * Who sends a request: whose bearer token it shows, and then whom that one impersonates.
 *
 * @throws {StatusError} 401 for a token that is nobody's, 403 for an impersonation without the right.
 */
export function authenticate(tokens: Tokens, store: Roles, request: IncomingMessage): User {
  const user = userOf(tokens, request.headers.authorization);
  const name = request.headers['impersonate-user'];
  if (typeof name !== 'string') return user;
  const attributes = { verb: 'impersonate', group: '', resource: 'users', name };
  if (!isAllowed(store, user, attributes)) throw forbidden(user, attributes);
  const [, account] = name.split('system:serviceaccount:');
  const [namespace = '', accountName = ''] = account?.split(':') ?? [];
  if (account) return serviceAccountUser(namespace, accountName);
  const groups = request.headersDistinct['impersonate-group'] ?? [];
  return { name, groups: [...groups, 'system:authenticated'] };
}

function userOf(tokens: Tokens, authorization: string | undefined): User {
  if (authorization === undefined) return anonymous;
  const [scheme = '', token = ''] = authorization.split(' ');
  const user = scheme.toLowerCase() === 'bearer' ? tokens.lookup(token.trim()) : undefined;
  if (!user) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  return user;
}
