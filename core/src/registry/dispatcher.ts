import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';

import { Agent, EnvHttpProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';

import { InputError } from '../errors.ts';

/** Proxies, as the environment variables of these names hold them. */
export interface Proxies {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  readonly noProxy?: string | undefined;
}

/** The connections of one transport. */
export interface Connections {
  readonly dispatcherFor: (origin: string) => Dispatcher;
  /** Ends all of them, and what is under way on them. */
  close(): Promise<void>;
}

const connectTimeoutMs = 10_000;
const keepAliveDelayMs = 15_000;

/**
 * Makes the connections that requests go over.
 *
 * @param ca PEM; trusted besides what this machine trusts.
 * @throws {InputError} if `ca` holds no certificate: it must not silently mean less.
 */
export function connectionsOf(options: { ca?: string; proxies?: Proxies }): Connections {
  const { ca, proxies = {} } = options;
  const secureContext = ca === undefined ? {} : { secureContext: trusting(ca) };
  const settings = {
    // One connection for everything would share its window; HTTP/1.1 is also the cheaper one.
    allowH2: false,
    connect: {
      ...secureContext,
      timeout: connectTimeoutMs,
      keepAliveInitialDelay: keepAliveDelayMs,
    },
  };
  const plain = new Agent(settings);
  if (!proxies.http && !proxies.https) {
    return { dispatcherFor: () => plain, close: () => plain.destroy() };
  }
  const proxied = new EnvHttpProxyAgent({
    ...settings,
    requestTls: secureContext,
    proxyTls: secureContext,
    // Empty, not absent: otherwise the environment would be read here.
    httpProxy: proxies.http ?? '',
    httpsProxy: proxies.https ?? '',
    noProxy: proxies.noProxy ?? '',
  });
  return {
    dispatcherFor: (origin) =>
      (origin.startsWith('https:') ? proxies.https : proxies.http) ? proxied : plain,
    close: async () => {
      await Promise.all([plain.destroy(), proxied.destroy()]);
    },
  };
}

// Made once: with the certificates of the system, each connection would spend milliseconds on it.
function trusting(ca: string): SecureContext {
  checkPem(ca);
  const trusted = new Set([...getCACertificates('default'), ...getCACertificates('system'), ca]);
  // A person may name the server's own certificate instead of the CA that signed it.
  return createSecureContext({ ca: [...trusted], allowPartialTrustChain: true });
}

function checkPem(ca: string): void {
  const blocks = ca.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length > 0 && blocks.every(isCertificate)) return;
  const state =
    blocks.length === 0 ? 'holds no PEM certificate' : 'holds an unreadable certificate';
  throw new InputError(
    `Cannot trust the registry by its CA: it ${state}; want "-----BEGIN CERTIFICATE-----"`,
  );
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.byteLength > 0;
  } catch {
    return false;
  }
}
