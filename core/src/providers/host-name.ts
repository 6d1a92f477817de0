import { isIPv6 } from 'node:net';

const hostPattern = /^(?:[\w-]+(?:\.[\w-]+)*\.?|\[([\da-f:.]+)\])(?::(\d{1,5}))?$/i;

/** Whether `text` is `host` or `host:port` and nothing more; IPv6 addresses stand in brackets. */
export function isHost(text: string): boolean {
  const matched = hostPattern.exec(text);
  if (matched === null) return false;
  const [, address, port = 1] = matched;
  return (address === undefined || isIPv6(address)) && Number(port) >= 1 && Number(port) <= 65_535;
}

/** What to write instead of something that is no host. */
export function hostWanted(text: string): string {
  return isIPv6(text)
    ? `an IPv6 address wants brackets: [${text}] or [${text}]:PORT`
    : 'want host[:port], without scheme, path or user';
}

/** Somebody may have pasted a URL with a password into it. */
export function withoutUserinfo(text: string): string {
  return text.replace(/[^/@]*@/, '***@');
}
