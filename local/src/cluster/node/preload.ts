/**
 * Loaded by Node before a program of ours that stands for a container, to give it what the network
 * namespace and the DNS of a Pod would: this file is never imported.
 */
import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { isMainThread } from 'node:worker_threads';

/** A cluster-wide name, `name.namespace.svc` or longer, that no other DNS may answer for. */
const clusterName = /\.svc(\.cluster\.local)?$/;

const podIp = process.env['REPOSURE_LOCAL_POD_IP'];
const namespace = process.env['REPOSURE_LOCAL_NAMESPACE'] ?? 'default';
const hostsFile = process.env['REPOSURE_LOCAL_HOSTS'];
const lifelineFd = Number(process.env['REPOSURE_LOCAL_LIFELINE'] ?? Number.NaN);

type Callback = (error: Error | null, address?: unknown, family?: number) => void;

/** The addresses of a name of the cluster; `undefined` for a name that is not the cluster's. */
function addressesOf(hostname: unknown): string[] | undefined {
  if (!hostsFile || typeof hostname !== 'string') return undefined;
  const name = hostname.toLowerCase().replace(/\.$/, '');
  if (!name || net.isIP(name)) return undefined;
  const hosts = JSON.parse(readFileSync(hostsFile, 'utf8')) as Record<string, string[]>;
  const short = name.replace(clusterName, '');
  const found = hosts[short] ?? (short === name ? hosts[`${name}.${namespace}`] : undefined);
  return found ?? (clusterName.test(name) ? [] : undefined);
}

function notFound(hostname: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException & { hostname?: string } = new Error(
    `getaddrinfo ENOTFOUND ${hostname}`,
  );
  return Object.assign(error, { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname });
}

function wantsAll(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'all' in options && !!options.all;
}

const systemLookup = dns.lookup as unknown as (...parameters: unknown[]) => void;
const systemLookupPromise = dns.promises.lookup as unknown as (
  ...parameters: unknown[]
) => Promise<unknown>;

function lookup(hostname: string, ...rest: unknown[]): void {
  const addresses = addressesOf(hostname);
  if (!addresses) return systemLookup(hostname, ...rest);
  const callback = rest.at(-1) as Callback;
  const [address] = addresses;
  process.nextTick(() => {
    if (!address) callback(notFound(hostname));
    else if (wantsAll(rest[0])) callback(null, addresses.map(asAnswer));
    else callback(null, address, 4);
  });
}

async function lookupPromise(hostname: string, ...rest: unknown[]): Promise<unknown> {
  const addresses = addressesOf(hostname);
  if (!addresses) return systemLookupPromise(hostname, ...rest);
  const [address] = addresses;
  if (!address) throw notFound(hostname);
  return wantsAll(rest[0]) ? addresses.map(asAnswer) : asAnswer(address);
}

function asAnswer(address: string): { address: string; family: number } {
  return { address, family: 4 };
}

/** A Pod's "all interfaces" is its own address: every Pod may have port 8443. */
function withPodAddress(parameters: unknown[]): unknown[] {
  const [first, ...rest] = parameters;
  if (first === undefined || typeof first === 'function') {
    return [{ port: 0, host: podIp }, first, ...rest].filter((each) => each !== undefined);
  }
  if (typeof first === 'object' && first !== null && 'port' in first) {
    const host = 'host' in first ? first.host : undefined;
    return isWildcard(host) ? [{ ...first, host: podIp }, ...rest] : parameters;
  }
  const isPort = typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first));
  return isPort ? [first, ...withPodHost(rest)] : parameters;
}

function withPodHost(rest: unknown[]): unknown[] {
  const [host, ...others] = rest;
  if (typeof host === 'string' && !isWildcard(host)) return rest;
  const kept = typeof host === 'string' ? others : rest;
  return [podIp, ...kept].filter((each) => each !== undefined);
}

function isWildcard(host: unknown): boolean {
  return host === undefined || host === '' || host === '0.0.0.0' || host === '::';
}

/** The cluster holds the other end for as long as it lives, however it ends. */
function endWithTheCluster(fd: number): void {
  const lifeline = new net.Socket({ fd, readable: true, writable: false });
  lifeline.on('error', () => {});
  lifeline.on('close', endGroup);
  lifeline.resume();
  lifeline.unref();
}

function endGroup(): void {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    process.exit(137);
  }
}

dns.lookup = lookup as unknown as typeof dns.lookup;
dns.promises.lookup = lookupPromise as unknown as typeof dns.promises.lookup;
if (podIp) {
  const { prototype } = net.Server;
  const systemListen = Reflect.get(prototype, 'listen') as (...parameters: unknown[]) => unknown;
  const listen = function listen(this: unknown, ...parameters: unknown[]): unknown {
    return systemListen.apply(this, withPodAddress(parameters));
  };
  Object.assign(prototype, { listen });
}
if (isMainThread && Number.isInteger(lifelineFd)) endWithTheCluster(lifelineFd);
syncBuiltinESMExports();
