import { describe, expect, it } from 'vitest';

import { parseOrigin } from './origin.ts';
import { checkRealm, checkRedirect } from './realm.ts';
import { AuthenticationError, UnsafeRedirectError } from './registry-error.ts';

const secure = parseOrigin('registry.example.com', false);
const inCluster = parseOrigin('10.96.0.7:5000', false);
const plain = parseOrigin('127.0.0.1:5000', true);

describe('checkRealm()', () => {
  it.each([
    ['https://auth.example.com/token', secure],
    ['https://registry.example.com/token', secure],
    ['https://10.96.0.7:5000/token', inCluster],
    ['http://127.0.0.1:5000/token', plain],
    ['http://auth.example.com/token', plain],
  ])('lets %s pass', (realm, registry) => {
    expect(checkRealm(realm, registry).href).toBe(realm);
  });

  it.each([
    ['plain HTTP (CVE-2020-15157)', 'http://auth.example.com/token', /plain HTTP/],
    ['another scheme', 'file:///etc/passwd', /scheme/],
    ['a login in it', 'https://user:secret@auth.example.com/', /login in it/],
    ['nothing', undefined, /not a URL/],
    ['a relative one', '/token', /not a URL/],
    ['the metadata service (CVE-2026-48978)', 'https://169.254.169.254/latest', /link-local/],
    ['loopback', 'https://127.0.0.1:8443/token', /loopback/],
    ['loopback by name', 'https://localhost:8443/token', /loopback/],
    ['loopback by a longer name', 'https://x.localhost./token', /loopback/],
    ['loopback as one number', 'https://2130706433/token', /loopback/],
    ['loopback in octal', 'https://0177.0.0.1/token', /loopback/],
    ['nowhere', 'https://0.0.0.0/token', /loopback/],
    ['loopback as IPv6', 'https://[::1]/token', /loopback/],
    ['loopback as IPv4 in IPv6', 'https://[::ffff:127.0.0.1]/token', /loopback/],
    ['a private network', 'https://10.0.0.1/token', /private/],
    ['a private network behind NAT64', 'https://[64:ff9b::a00:1]/token', /private/],
    ['a private network as IPv6', 'https://[fd00::1]/token', /private/],
    ['link-local as IPv6', 'https://[fe80::1]/token', /link-local/],
  ])('refuses %s', (_, realm, message) => {
    expect(() => checkRealm(realm, secure)).toThrow(AuthenticationError);
    expect(() => checkRealm(realm, secure)).toThrow(message);
  });

  it('refuses another port of a private registry (google/go-containerregistry#2243)', () => {
    expect(() => checkRealm('https://10.96.0.7:6443/api', inCluster)).toThrow(/private/);
    expect(() => checkRealm('http://127.0.0.1:5001/token', plain)).toThrow(/loopback/);
  });

  it('never repeats a login or a query', () => {
    expect(() => checkRealm('https://user:secret@10.0.0.1/t?key=hidden', secure)).toThrow(
      expect.not.objectContaining({ message: expect.stringMatching(/secret|hidden/) }),
    );
  });
});

describe('checkRedirect()', () => {
  const from = new URL('https://registry.example.com/v2/a/blobs/x');

  it.each([
    ['https://storage.example.com/x?sig=1', secure],
    ['https://10.1.2.3:9000/x', inCluster],
    ['http://127.0.0.1:9000/x', plain],
  ])('lets %s pass', (location, registry) => {
    expect(checkRedirect(location, from, registry).href).toBe(location);
  });

  it('resolves a path', () => {
    expect(checkRedirect('/other', from, secure).href).toBe('https://registry.example.com/other');
  });

  it.each([
    ['http://storage.example.com/x', secure, /plain HTTP/],
    ['https://10.0.0.1/x', secure, /private/],
    ['https://127.0.0.1/x', inCluster, /loopback/],
    ['http://169.254.169.254/latest/meta-data', plain, /link-local/],
    ['https://user:secret@storage.example.com/', secure, /login in it/],
    [undefined, secure, /not a URL/],
  ])('refuses %s', (location, registry, message) => {
    expect(() => checkRedirect(location, from, registry)).toThrow(UnsafeRedirectError);
    expect(() => checkRedirect(location, from, registry)).toThrow(message);
  });
});

describe('parseOrigin()', () => {
  it.each([['user@host'], ['host/path'], ['https://host'], ['host:port'], [''], ['a b'], ['h?x']])(
    'refuses %j',
    (host) => {
      expect(() => parseOrigin(host, false)).toThrow(/want host\[:port\]/);
    },
  );

  it('takes IPv6, and drops the port that the scheme implies', () => {
    expect(parseOrigin('[::1]:443', false).url).toBe('https://[::1]');
  });
});
