import { describe, expect, it } from 'vitest';

import { PathMapping } from './path-mapping.ts';

const mapping = new PathMapping('/root', ['/etc/reposure/tls', '/data/']);

describe('PathMapping', () => {
  it.each([
    ['a mount itself', '/etc/reposure/tls', '/root/etc/reposure/tls'],
    ['what is inside', '/etc/reposure/tls/ca.crt', '/root/etc/reposure/tls/ca.crt'],
    ['a parent', '/etc/reposure', '/root/etc/reposure'],
    ['a mount with a slash at its end', '/data/', '/root/data'],
    ['the value of an option', '--directory=/data/x', '--directory=/root/data/x'],
  ])('rewrites %s', (_, text, expected) => {
    expect(mapping.rewrite(text)).toBe(expected);
  });

  it.each([
    '/',
    '/etc/reposure/tls2',
    '/usr/bin',
    'data',
    'http://h/data',
    '--a=b=/data',
    '/data/../usr',
  ])('leaves %s alone', (text) => {
    expect(mapping.rewrite(text)).toBe(text);
  });

  it('never leaves the root folder', () => {
    expect(mapping.hostPathOf('/../../etc/passwd')).toBe('/root/etc/passwd');
  });
});
