import { Agent as HttpsAgent } from 'node:https';
import type { RequestOptions } from 'node:https';

import { Agent as HttpAgent } from '../node-http.ts';
import type { Access } from './access.ts';
import { clientLibrary } from './client-library.ts';
import type { TlsMaterial } from './credentials.ts';
import { fingerprintOf, trustedBy } from './tls-material.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Idle connections are checked from here on, so that a peer that vanished is noticed in less than a minute. */
const keepAliveMs = 20_000;

/** The connections to one cluster, as long as the same certificates serve. */
export class AgentCache {
  readonly #access: Access;
  readonly #env: Env;
  readonly #retired = new Set<HttpAgent>();
  #current: { readonly agent: HttpAgent; readonly fingerprint: string } | undefined;

  constructor(access: Access, env: Env) {
    this.#access = access;
    this.#env = env;
  }

  /** Certificates that were rotated make a new agent: the old connections still run with the old ones. */
  async agentFor(tls: TlsMaterial): Promise<HttpAgent> {
    const fingerprint = fingerprintOf(tls);
    if (this.#current?.fingerprint === fingerprint) return this.#current.agent;
    const agent = await this.#make(tls);
    if (this.#current) this.#retired.add(this.#current.agent);
    this.#current = { agent, fingerprint };
    return agent;
  }

  close(): void {
    for (const agent of this.#retired) agent.destroy();
    this.#current?.agent.destroy();
    this.#retired.clear();
    this.#current = undefined;
  }

  async #make(tls: TlsMaterial): Promise<HttpAgent> {
    const { cluster, server } = this.#access;
    const servername = cluster['tls-server-name'];
    const proxyUrl = cluster['proxy-url'];
    const options = {
      keepAlive: true,
      keepAliveMsecs: keepAliveMs,
      ca: trustedBy(tls),
      ...(tls.cert && { cert: tls.cert }),
      ...(tls.key && { key: tls.key }),
      ...(servername && { servername }),
      ...(cluster['insecure-skip-tls-verify'] && { rejectUnauthorized: false }),
    };
    if (proxyUrl?.startsWith('socks')) return socksAgent(this.#access, options);
    const proxyEnv = proxyUrl
      ? { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl, NO_PROXY: '' }
      : proxyEnvOf(this.#env);
    if (server.startsWith('http:')) return new HttpAgent({ keepAlive: true, proxyEnv });
    return new HttpsAgent({ ...options, proxyEnv });
  }
}

/** Only the usual four, so that nothing else in the environment is looked at. */
function proxyEnvOf(env: Env): Record<string, string> {
  const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

async function socksAgent(access: Access, options: object): Promise<HttpAgent> {
  const { KubeConfig } = await clientLibrary('SOCKS proxies');
  const { clusterName: name, server, cluster } = access;
  // A KubeConfig for each agent: it caches agents by name, whatever their certificates.
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    {
      name,
      server,
      skipTLSVerify: cluster['insecure-skip-tls-verify'],
      proxyUrl: cluster['proxy-url'] ?? '',
    },
    { name: '' },
  );
  const applied: RequestOptions = { ...options };
  await config.applyToHTTPSOptions(applied);
  return applied.agent as HttpAgent;
}
