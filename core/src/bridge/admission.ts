import type { IncomingMessage } from 'node:http';

import { errorAnswer } from '../surrogate/far-error.ts';
import type { GatewayAnswer } from '../surrogate/far-error.ts';
import { isLoggedIn } from './login.ts';
import type { BridgeLogin } from './login.ts';

/** The names of this machine by which it reaches itself. */
export const loopbackNames: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** Who is let in. */
export interface Admission {
  /** The port that the bridge listens on. */
  readonly port: number;
  /** Everybody on this machine if there is none. */
  readonly login: BridgeLogin | undefined;
}

/**
 * Whether a request is one of a tool of this user.
 *
 * A page in a browser may send requests to this machine, too: by a name of its own that it lets lead
 * here, which the `Host` tells (DNS rebinding), or across origins, which the `Origin` tells.
 *
 * @returns the answer to one that is not let in.
 */
export function refusalOf(
  { headers }: Pick<IncomingMessage, 'headers'>,
  { port, login }: Admission,
): GatewayAnswer | undefined {
  if (!isOwnHost(headers.host, port)) {
    return refusal(421, 'DENIED', `Cannot serve this host; want localhost:${port}`);
  }
  if (headers.origin !== undefined || isFromElsewhere(headers['sec-fetch-site'])) {
    return refusal(403, 'DENIED', 'Cannot serve a page of a browser; want a tool for images');
  }
  if (login === undefined || isLoggedIn(headers.authorization, login)) return undefined;
  const answer = refusal(
    401,
    'UNAUTHORIZED',
    'Cannot let you in without the login of this bridge; want DOCKER_CONFIG and REGISTRY_AUTH_FILE as the bridge gave them',
  );
  const challenge = { 'www-authenticate': 'Basic realm="reposure bridge", charset="UTF-8"' };
  return { ...answer, headers: { ...answer.headers, ...challenge } };
}

function refusal(status: number, code: string, message: string): GatewayAnswer {
  const answer = errorAnswer(status, { code, message });
  // By this, older clients tell a registry that wants a login from anything else.
  const version = { 'docker-distribution-api-version': 'registry/2.0' };
  return { ...answer, headers: { ...answer.headers, ...version } };
}

function isOwnHost(host: string | undefined, port: number): boolean {
  const isOwn = (name: string): boolean =>
    host?.toLowerCase() === `${name}:${port}` || (port === 80 && host?.toLowerCase() === name);
  return loopbackNames.some(isOwn);
}

function isFromElsewhere(site: string | string[] | undefined): boolean {
  return site !== undefined && site !== 'none';
}
