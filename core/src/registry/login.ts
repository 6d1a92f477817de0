import type { Log } from '../log.ts';
import { parseChallenges } from './challenge.ts';
import type { Challenge } from './challenge.ts';
import { basicAuthorization } from './credentials.ts';
import type { Credentials, CredentialSource } from './credentials.ts';
import type { Exchange } from './exchange.ts';
import type { Origin } from './origin.ts';
import { AuthenticationError } from './registry-error.ts';
import { scopesOf } from './scope.ts';
import type { Scopes } from './scope.ts';
import { fetchToken } from './token.ts';
import type { AccessToken } from './token.ts';
import type { RegistryRequest, Transport } from './transport.ts';

/** What logging in to a registry takes. */
export interface LoginOptions {
  readonly registry: Origin;
  /** Without one, only what the registry gives to everybody. */
  readonly credentials?: CredentialSource | undefined;
  /** Reaches the token service. */
  readonly exchange: Exchange;
  readonly log?: Log | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface CachedToken {
  readonly token: Promise<AccessToken>;
  /** Absent until it is there. */
  value?: string;
  expiresAtMs?: number;
}

// A token must still be good when the request arrives.
const leewayMs = 10_000;

/** The login to one registry: what it asks for, the credentials, and the tokens got with them. */
export class Login {
  readonly #send: Transport;
  readonly #options: LoginOptions;
  readonly #tokens = new Map<string, CachedToken>();
  /** What the registry wanted for a request besides what we thought. */
  readonly #learned = new Map<string, readonly string[]>();
  readonly #credentials = new Map<string, Promise<Credentials | undefined>>();
  #challenges: Promise<readonly Challenge[]> | undefined;

  constructor(send: Transport, options: LoginOptions) {
    this.#send = send;
    this.#options = options;
  }

  /** The `Authorization` of a request, or `undefined` if the registry asks for none. */
  async authorize(request: RegistryRequest): Promise<string | undefined> {
    const challenges = await abortable(this.#asked(), request.signal);
    if (challenges.length === 0) return undefined;
    return await abortable(this.#answer(challenges, this.#scopesOf(request)), request.signal);
  }

  /**
   * The `Authorization` to try after one was refused.
   *
   * @param challenges What the refusal says; a registry may ask for nothing at first and for a
   * login only where it is needed.
   * @returns The same as before if there is nothing else to try.
   */
  async renew(
    request: RegistryRequest,
    challenges: readonly Challenge[],
    refused: string | undefined,
  ): Promise<string | undefined> {
    if (challenges.length === 0) return refused;
    this.#challenges = Promise.resolve(challenges);
    const known = this.#scopesOf(request);
    const scopes = withAsked(known, challenges);
    this.#learned.set(scopesOf(request).names.join(' '), scopes.names);
    this.#forget(scopes, refused);
    return await abortable(this.#answer(challenges, scopes), request.signal);
  }

  /** Whether nothing is known to log in with. */
  async isAnonymous(request: RegistryRequest): Promise<boolean> {
    return (await this.#credentialsFor(scopesOf(request).repository)) === undefined;
  }

  #scopesOf(request: RegistryRequest): Scopes {
    const scopes = scopesOf(request);
    return { ...scopes, names: this.#learned.get(scopes.names.join(' ')) ?? scopes.names };
  }

  // One question for all requests, so none of them may abort it.
  #asked(): Promise<readonly Challenge[]> {
    this.#challenges ??= this.#ask().catch((error: unknown) => {
      this.#challenges = undefined;
      throw error;
    });
    return this.#challenges;
  }

  async #ask(): Promise<readonly Challenge[]> {
    const response = await this.#send({ method: 'GET', path: '/v2/' });
    await response.discard();
    // Whatever else is wrong shows in the answer to the request itself.
    if (response.status !== 401) return [];
    const challenges = parseChallenges(response.headers['www-authenticate']);
    const schemes = challenges.map(({ scheme }) => scheme).join(', ');
    this.#options.log?.debug(`${this.#options.registry.host} asks for a login: ${schemes}`);
    return challenges;
  }

  async #answer(challenges: readonly Challenge[], scopes: Scopes): Promise<string | undefined> {
    const credentials = await this.#credentialsFor(scopes.repository);
    if (credentials?.kind === 'bearer') return `Bearer ${credentials.token}`;
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer) return `Bearer ${await this.#token(bearer, scopes, credentials)}`;
    if (!challenges.some(({ scheme }) => scheme === 'basic')) throw this.#unknown(challenges);
    if (!credentials) return undefined;
    if (credentials.kind === 'basic') {
      return basicAuthorization(credentials.username, credentials.password);
    }
    throw new AuthenticationError(
      `Cannot log in to ${this.#options.registry.host}: it takes no tokens; want a user name and a password`,
    );
  }

  async #token(
    challenge: Challenge,
    scopes: Scopes,
    credentials: Exclude<Credentials, { kind: 'bearer' }> | undefined,
  ): Promise<string> {
    const key = scopes.names.join(' ');
    const now = this.#options.now ?? Date.now;
    const cached = this.#tokens.get(key);
    if (cached && (cached.expiresAtMs === undefined || cached.expiresAtMs > now())) {
      return (await cached.token).token;
    }
    const { registry, exchange } = this.#options;
    const asked = { registry, challenge, scopes: scopes.names, credentials, exchange };
    const entry: CachedToken = { token: fetchToken(asked) };
    this.#tokens.set(key, entry);
    try {
      const { token, lifetimeMs } = await entry.token;
      entry.value = token;
      entry.expiresAtMs = now() + Math.max(lifetimeMs - leewayMs, lifetimeMs / 2);
      return token;
    } catch (error) {
      if (this.#tokens.get(key) === entry) this.#tokens.delete(key);
      throw error;
    }
  }

  #credentialsFor(repository: string | undefined): Promise<Credentials | undefined> {
    const { credentials, registry } = this.#options;
    if (!credentials) return Promise.resolve(undefined);
    const key = repository ?? '';
    const known = this.#credentials.get(key);
    if (known) return known;
    const found = credentials(registry.host, repository);
    this.#credentials.set(key, found);
    found.catch(() => this.#credentials.delete(key));
    return found;
  }

  // Passwords are changed while we run, so the source is asked again; and only the token that was
  // refused is dropped: another request may have renewed it already.
  #forget({ repository, names }: Scopes, refused: string | undefined): void {
    this.#credentials.delete(repository ?? '');
    const key = names.join(' ');
    if (refused === `Bearer ${this.#tokens.get(key)?.value}`) this.#tokens.delete(key);
  }

  #unknown(challenges: readonly Challenge[]): AuthenticationError {
    const schemes = challenges.map(({ scheme }) => scheme).join(', ');
    return new AuthenticationError(
      `Cannot log in to ${this.#options.registry.host}: it asks for ${schemes}; want Basic or Bearer`,
    );
  }
}

function withAsked(scopes: Scopes, challenges: readonly Challenge[]): Scopes {
  const asked = challenges.map(({ parameters }) => parameters['scope'] ?? '').join(' ');
  const names = new Set([...scopes.names, ...asked.split(' ').filter(Boolean)]);
  return { ...scopes, names: [...names].toSorted() };
}

async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
