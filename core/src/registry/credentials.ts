/** What one logs in with. */
export type Credentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** An identity or refresh token: the token service takes it for an access token. */
  | { readonly kind: 'token'; readonly token: string }
  /** An access token: the registry takes it as it is. */
  | { readonly kind: 'bearer'; readonly token: string };

/**
 * Finds the login for a registry; asked again when the registry refuses what it got before.
 *
 * @param registryHost `host[:port]`
 */
export type CredentialSource = (
  registryHost: string,
  repository?: string,
) => Promise<Credentials | undefined>;

/** The value of an `Authorization` header. */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
