import type { Exchange } from './exchange.ts';
import type { Origin } from './origin.ts';
import { checkRedirect } from './realm.ts';
import { UnsafeRedirectError } from './registry-error.ts';
import { requestLine } from './request-line.ts';
import type { RegistryRequest, RegistryResponse, Transport } from './transport.ts';

const maxRedirects = 5;
const harmless = new Set(['accept', 'range']);

/**
 * Follows what a registry says of where its blobs are stored.
 *
 * Only for reading: what writes has a body, and goes where it was sent or nowhere.
 *
 * @param home The registry itself, with its login.
 * @param away Any other origin, which is told nothing but what is read, and never the login.
 */
export function followingRedirects(home: Transport, away: Exchange, registry: Origin): Transport {
  return async (request) => {
    let response = await home(request);
    let at = new URL(request.path, registry.url);
    for (let hops = 0; isRedirect(request, response); hops++) {
      await response.discard();
      if (hops === maxRedirects) {
        throw new UnsafeRedirectError(
          `Cannot follow the redirects of ${requestLine(request)}: there are more than ${maxRedirects}`,
        );
      }
      at = checkRedirect(response.headers['location'], at, registry);
      const path = `${at.pathname}${at.search}`;
      response =
        at.origin === registry.url
          ? await home({ ...request, path })
          : await away(at.origin, { ...forStranger(request), path });
    }
    return response;
  };
}

function isRedirect({ method }: RegistryRequest, { status, headers }: RegistryResponse): boolean {
  const isReading = method === 'GET' || method === 'HEAD';
  return (
    isReading && [301, 302, 303, 307, 308].includes(status) && headers['location'] !== undefined
  );
}

function forStranger({ headers = {}, ...request }: RegistryRequest): RegistryRequest {
  const kept = Object.entries(headers).filter(([name]) => harmless.has(name));
  return { ...request, headers: Object.fromEntries(kept) };
}
