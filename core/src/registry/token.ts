import * as z from 'zod';

import { collect } from '../bytes.ts';
import { failureOf } from './answer.ts';
import type { Challenge } from './challenge.ts';
import { basicAuthorization } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import type { Exchange } from './exchange.ts';
import type { Origin } from './origin.ts';
import { checkRealm } from './realm.ts';
import { AuthenticationError } from './registry-error.ts';
import { describeUrl } from './request-line.ts';
import type { RegistryResponse } from './transport.ts';

/** An access token, and until when it is good. */
export interface AccessToken {
  readonly token: string;
  /** How long from now on. */
  readonly lifetimeMs: number;
}

/** What a token is asked for with. */
export interface TokenRequest {
  readonly registry: Origin;
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  /** Without any, an anonymous token. */
  readonly credentials: Exclude<Credentials, { kind: 'bearer' }> | undefined;
  readonly exchange: Exchange;
}

const maxTokenBytes = 1024 * 1024;
const maxRedirects = 3;
const clientId = 'reposure';

const TokenBody = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().positive().optional(),
});

/**
 * Asks the token service of a registry for an access token.
 *
 * @throws {AuthenticationError} if the service refuses, or must not be asked.
 * @throws {RegistryError} if it fails otherwise.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 * @see https://distribution.github.io/distribution/spec/auth/oauth/
 */
export async function fetchToken(request: TokenRequest): Promise<AccessToken> {
  const { challenge, credentials, registry } = request;
  const realm = checkRealm(challenge.parameters['realm'], registry);
  const response =
    credentials?.kind === 'token'
      ? await exchangeRefreshToken(request, realm, credentials.token)
      : await getToken(request, realm, credentials);
  if (response.status === 200) return await readToken(response, registry);
  throw await refusalOf(response, realm, request);
}

async function getToken(
  { challenge, scopes, exchange, registry }: TokenRequest,
  realm: URL,
  credentials: Extract<Credentials, { kind: 'basic' }> | undefined,
): Promise<RegistryResponse> {
  let url = withQuery(realm, challenge, scopes);
  for (let hops = 0; ; hops++) {
    // A login that is meant for one origin is not for another that it points to.
    const isAtRealm = url.origin === realm.origin;
    const headers: Record<string, string> =
      credentials && isAtRealm
        ? { authorization: basicAuthorization(credentials.username, credentials.password) }
        : {};
    const path = `${url.pathname}${url.search}`;
    const response = await exchange(url.origin, { method: 'GET', path, headers });
    if (!isRedirect(response) || hops >= maxRedirects) return response;
    await response.discard();
    url = checkRealm(URL.parse(response.headers['location'] ?? '', url.href)?.href, registry);
  }
}

// Not followed anywhere: the refresh token is in the body.
async function exchangeRefreshToken(
  { challenge, scopes, exchange }: TokenRequest,
  realm: URL,
  refreshToken: string,
): Promise<RegistryResponse> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: refreshToken,
  });
  const { service } = challenge.parameters;
  if (service) form.set('service', service);
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  return await exchange(realm.origin, {
    method: 'POST',
    path: `${realm.pathname}${realm.search}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new TextEncoder().encode(form.toString()),
  });
}

function withQuery(realm: URL, challenge: Challenge, scopes: readonly string[]): URL {
  const url = new URL(realm);
  const { service } = challenge.parameters;
  if (service) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  return url;
}

function isRedirect({ status }: RegistryResponse): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

async function readToken(response: RegistryResponse, registry: Origin): Promise<AccessToken> {
  const bytes = await collect(response.body, 'the answer of the token service', maxTokenBytes);
  const parsed = TokenBody.safeParse(jsonOf(bytes));
  const token = parsed.data?.token ?? parsed.data?.access_token;
  // It becomes a header: nothing that could end one.
  if (!token || !/^[\x21-\x7e]+$/.test(token)) {
    throw new AuthenticationError(
      `Cannot log in to ${registry.host}: its token service answered without a token`,
    );
  }
  return { token, lifetimeMs: (parsed.data?.expires_in ?? 60) * 1000 };
}

async function refusalOf(
  response: RegistryResponse,
  realm: URL,
  { registry, credentials }: TokenRequest,
): Promise<Error> {
  const failure = await failureOf(`GET ${describeUrl(realm)}`, response);
  if (![400, 401, 403, 404].includes(response.status)) return failure;
  const state = credentials
    ? 'its token service refuses the login; want a user name and a password, or a token, that are valid and may do this'
    : 'it gives nothing to whoever is not logged in; want a login for it: in the login Secret of the Registry, or by docker login for docker://';
  return new AuthenticationError(`Cannot log in to ${registry.host}: ${state}`, {
    status: response.status === 403 ? 403 : 401,
    diagnostics: failure.diagnostics,
  });
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
