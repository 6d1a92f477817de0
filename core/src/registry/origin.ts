import { BlockList, isIP } from 'node:net';

import { InputError } from '../errors.ts';

/** Where a registry answers. */
export interface Origin {
  readonly scheme: 'http' | 'https';
  /** `host[:port]` as it was written; for messages and for finding the login. */
  readonly host: string;
  /** `scheme://host[:port]`, without a port that the scheme implies. */
  readonly url: string;
}

/** What kind of machine an address belongs to. */
export type Reach = 'public' | 'private' | 'loopback' | 'link-local';

const ranges: readonly (readonly [Exclude<Reach, 'public'>, readonly string[]])[] = [
  ['loopback', ['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128']],
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  [
    'private',
    [
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '100.64.0.0/10',
      '192.0.0.0/24',
      '198.18.0.0/15',
      '224.0.0.0/4',
      '240.0.0.0/4',
      'fc00::/7',
      'fec0::/10',
      'ff00::/8',
      // NAT64 and 6to4 hold an IPv4 address, which may be any of those above.
      '64:ff9b::/96',
      '64:ff9b:1::/48',
      '2002::/16',
    ],
  ],
];
const blocks = ranges.map(([reach, subnets]) => [reach, blockListOf(subnets)] as const);

/**
 * Reads `host[:port]` as the origin of a registry.
 *
 * @param isPlain Whether plain HTTP was asked for, by a person.
 * @throws {InputError} if it is not just a host and a port.
 */
export function parseOrigin(host: string, isPlain: boolean): Origin {
  const scheme = isPlain ? 'http' : 'https';
  const url = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i.test(host)
    ? URL.parse(`${scheme}://${host}/`)
    : null;
  if (url) return { scheme, host, url: url.origin };
  throw new InputError(`Cannot use "${host}" as the host of a registry: want host[:port]`);
}

/**
 * What an address literal says of where it leads; a name says nothing, but for `localhost`.
 *
 * @param url Parsed, so that `http://2130706433/` already reads `127.0.0.1`.
 */
export function reachOf(url: URL): Reach {
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (/(?:^|\.)localhost$/i.test(name)) return 'loopback';
  const family = isIP(name);
  if (family === 0) return 'public';
  const [reach] = blocks.find(([, list]) => list.check(name, family === 6 ? 'ipv6' : 'ipv4')) ?? [];
  return reach ?? 'public';
}

function blockListOf(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = '', prefix] = subnet.split('/');
    // Not isIP(): what Node compiles for its first IPv6 address takes longer than all the rest of us to load.
    list.addSubnet(net, Number(prefix), net.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}
