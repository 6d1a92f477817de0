import { BlockList, isIP } from 'node:net';

/** Proxies, as the environment variables of these names hold them. */
export interface Proxies {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  /** Hosts that are reached without: names with what is below them, addresses, networks, `*`. */
  readonly noProxy?: string | undefined;
}

/** The proxies that an environment names: in lower case, as curl has it, or else in upper case. */
export function proxiesIn(env: Readonly<Record<string, string | undefined>>): Proxies {
  const valueOf = (name: string): string | undefined => env[name.toLowerCase()] || env[name];
  return {
    http: valueOf('HTTP_PROXY'),
    https: valueOf('HTTPS_PROXY'),
    noProxy: valueOf('NO_PROXY'),
  };
}

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * The proxy for an origin, if there is one.
 *
 * @throws {TypeError} if the proxy is no URL of http or https.
 * Unlike Go's clients, and like curl, it makes no exception for this machine.
 *
 * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
export function proxyFor(origin: URL, { http, https, noProxy = '' }: Proxies): URL | undefined {
  const text = origin.protocol === 'https:' ? https : http;
  if (!text || isExcepted(origin, noProxy)) return undefined;
  // Without a scheme it is http, as everywhere.
  const proxy = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return proxy;
  // Its text may hold a password.
  throw new TypeError('Cannot use the proxy: it is none of http or https; want http://host:port');
}

/** `Proxy-Authorization`, if the URL of the proxy has a login. */
export function proxyHeaders({ username, password }: URL): Record<string, string> {
  if (!username && !password) return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
}

/** The name or address of a URL, without brackets and without the dot at the end. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/(?<=.)\.$/, '');
}

/** The port of a URL. */
export function portOf({ port, protocol }: URL): number {
  return Number(port || defaultPorts[protocol]);
}

function isExcepted(origin: URL, noProxy: string): boolean {
  const host = hostOf(origin).toLowerCase();
  const port = portOf(origin);
  return noProxy
    .toLowerCase()
    .split(/[,\s]+/)
    .some((entry) => entry !== '' && covers(entry, host, port));
}

function covers(entry: string, host: string, port: number): boolean {
  const [, bracketed, name = bracketed, entryPort] =
    /^(?:\[([^\]]+)\]|([^:]+|[^:]*:.*:[^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  if (name === undefined || (entryPort !== undefined && Number(entryPort) !== port)) return false;
  if (name === '*') return true;
  if (name.includes('/')) return isWithin(name, host);
  const suffix = name.replace(/^\*?\.?/, '').replace(/\.$/, '');
  // Only what is below is meant by `*.example.com`.
  return (host === suffix && !name.startsWith('*')) || host.endsWith(`.${suffix}`);
}

function isWithin(network: string, host: string): boolean {
  const [, net = '', prefix = ''] = /^([\da-f.:]+)\/(\d{1,3})$/.exec(network) ?? [];
  const family = isIP(net);
  if (family === 0 || isIP(host) !== family || Number(prefix) > (family === 6 ? 128 : 32)) {
    return false;
  }
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(net, Number(prefix), type);
  return list.check(host, type);
}
