import { reachOf } from './origin.ts';
import type { Origin } from './origin.ts';
import { AuthenticationError, UnsafeRedirectError } from './registry-error.ts';
import { describeUrl } from './request-line.ts';

/**
 * Checks where a registry wants a login to be sent.
 *
 * The registry chooses the place, and a login or our way into a network must not go wherever a
 * hostile one points (CVE-2020-15157, CVE-2026-48978, google/go-containerregistry#2243).
 *
 * @throws {AuthenticationError} if nothing may be sent there.
 */
export function checkRealm(realm: string | undefined, registry: Origin): URL {
  const url = URL.parse(realm ?? '');
  const state = url ? unsafeRealm(url, registry) : 'it is not a URL';
  if (url && !state) return url;
  const shown = url ? ` ${describeUrl(url)}` : '';
  throw new AuthenticationError(
    `Cannot log in to ${registry.host}: it sends the login to the realm${shown}, but ${state}; want a token service over https, with a name or the registry's own address`,
  );
}

/**
 * Checks where a registry keeps what was asked for.
 *
 * No login goes there, but a request does: never to the link-local addresses where clouds hand out
 * credentials, and to private ones only where the registry has such an address itself.
 *
 * @param location As it was answered.
 * @param from The URL that answered.
 * @throws {UnsafeRedirectError} if it must not be followed.
 */
export function checkRedirect(location: string | undefined, from: URL, registry: Origin): URL {
  const url = location === undefined ? null : URL.parse(location, from.href);
  const state = url ? unsafeRedirect(url, registry) : 'the Location is not a URL';
  if (url && !state) return url;
  const shown = url ? ` to ${describeUrl(url)}` : '';
  throw new UnsafeRedirectError(
    `Cannot follow the redirect of ${describeUrl(from)}${shown}: ${state}; want a redirect to the registry's storage`,
  );
}

function unsafeRealm(url: URL, registry: Origin): string | undefined {
  if (url.origin === registry.url) return unsafeSyntax(url, registry);
  const reach = reachOf(url);
  // The same host and port by another scheme is the registry still.
  const isOwn = url.host === new URL(registry.url).host;
  if (reach !== 'public' && !isOwn) return `that is a ${reach} address`;
  return unsafeSyntax(url, registry);
}

function unsafeRedirect(url: URL, registry: Origin): string | undefined {
  if (url.origin === registry.url) return unsafeSyntax(url, registry);
  const reach = reachOf(url);
  const own = reachOf(new URL(registry.url));
  if (reach === 'link-local' || (reach !== 'public' && reach !== own)) {
    return `that is a ${reach} address`;
  }
  return unsafeSyntax(url, registry);
}

function unsafeSyntax(url: URL, registry: Origin): string | undefined {
  if (url.username || url.password) return 'it has a login in it';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return `its scheme is ${url.protocol}`;
  return registry.scheme === 'http' ? undefined : 'it is plain HTTP';
}
