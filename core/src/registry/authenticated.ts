import { UnreachableError } from '../errors.ts';
import { failureOf } from './answer.ts';
import { parseChallenges } from './challenge.ts';
import { Login } from './login.ts';
import type { LoginOptions } from './login.ts';
import { AuthenticationError } from './registry-error.ts';
import { requestLine } from './request-line.ts';
import type { RegistryRequest, RegistryResponse, Transport } from './transport.ts';

/**
 * Logs in wherever the registry asks for it.
 *
 * The registry is asked once how (`GET /v2/`), before anything with a body is sent, so that a
 * body is not sent in vain. A login that ends while it is in use is renewed once per request.
 *
 * @param send Carries a request to the registry as it stands.
 * @throws {AuthenticationError} if the registry wants a login that there is none of, or refuses it.
 */
export function authenticated(send: Transport, options: LoginOptions): Transport {
  const login = new Login(send, options);
  return async (request) => {
    const authorization = await login.authorize(request);
    const response = await send(withAuthorization(request, authorization));
    if (response.status !== 401) return response;
    return await afterRefusal(
      { login, send, host: options.registry.host },
      request,
      response,
      authorization,
    );
  };
}

interface Parts {
  readonly login: Login;
  readonly send: Transport;
  readonly host: string;
}

async function afterRefusal(
  parts: Parts,
  request: RegistryRequest,
  response: RegistryResponse,
  refused: string | undefined,
): Promise<RegistryResponse> {
  const { login, send, host } = parts;
  const challenges = parseChallenges(response.headers['www-authenticate']);
  const failure = await failureOf(requestLine(request), response);
  const authorization = await login.renew(request, challenges, refused);
  if (authorization === undefined || authorization === refused) {
    throw await refusal(parts, request, failure);
  }
  if (!isReplayable(request)) {
    throw new UnreachableError(
      `Cannot finish ${requestLine(request)} at registry ${host}: the login ended on the way; want another try`,
    );
  }
  const second = await send(withAuthorization(request, authorization));
  if (second.status !== 401) return second;
  throw await refusal(parts, request, await failureOf(requestLine(request), second));
}

async function refusal(
  { login, host }: Parts,
  request: RegistryRequest,
  { diagnostics }: Awaited<ReturnType<typeof failureOf>>,
): Promise<AuthenticationError> {
  const state = (await login.isAnonymous(request))
    ? 'it wants a login; want one for it: in the login Secret of the Registry, or by docker login for docker://'
    : `it refuses the login for ${requestLine(request)}; want a user name and a password, or a token, that are valid and may do this`;
  return new AuthenticationError(`Cannot log in to ${host}: ${state}`, { diagnostics });
}

function isReplayable({ body }: RegistryRequest): boolean {
  return body === undefined || body instanceof Uint8Array;
}

function withAuthorization(
  request: RegistryRequest,
  authorization: string | undefined,
): RegistryRequest {
  if (authorization === undefined) return request;
  return { ...request, headers: { ...request.headers, authorization } };
}
