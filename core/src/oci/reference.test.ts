import { describe, expect, it } from 'vitest';

import { digestOf } from './digest.ts';
import {
  describeReference,
  isRepository,
  isTag,
  parseReference,
  parseTarget,
} from './reference.ts';

const digest = digestOf('x');

describe('parseTarget()', () => {
  it.each([
    ['app', { repository: 'app' }],
    ['team/app:1.2.3', { repository: 'team/app', tag: '1.2.3' }],
    ['a/b/c_d-e.f:v1.2.3-rc.1_x', { repository: 'a/b/c_d-e.f', tag: 'v1.2.3-rc.1_x' }],
    [`team/app@${digest}`, { repository: 'team/app', digest }],
    [`team/app:1@${digest}`, { repository: 'team/app', tag: '1', digest }],
  ])('takes %s apart, and describeReference() puts it together again', (text, target) => {
    expect(parseTarget(text)).toEqual(target);
    expect(describeReference(parseTarget(text))).toBe(text);
  });

  it.each([
    '',
    'Team/app',
    'team//app',
    '/app',
    'app/',
    'app:',
    'app:.hidden',
    'app:-x',
    `app:${'x'.repeat(129)}`,
    'a..b',
    '../app',
    'app@sha256:short',
    `app@${digest}@${digest}`,
    'app 1',
    'äpp',
    'x'.repeat(256),
  ])('refuses %j', (text) => {
    expect(() => parseTarget(text)).toThrow(SyntaxError);
  });
});

describe('parseReference()', () => {
  it.each([
    ['localhost/app', 'localhost'],
    ['localhost:5000/team/app:1', 'localhost:5000'],
    ['registry.ns.svc:5000/app', 'registry.ns.svc:5000'],
    ['[::1]:5000/app', '[::1]:5000'],
    ['registry:5000/app', 'registry:5000'],
  ])('finds the registry of %s', (text, registry) => {
    expect(parseReference(text).registry).toBe(registry);
  });

  it.each(['app', 'team/app', 'http://host/app', 'user@host.x/app'])(
    'takes nothing for Docker Hub by omission: %s',
    (text) => {
      expect(() => parseReference(text)).toThrow(SyntaxError);
    },
  );
});

describe('isRepository() and isTag()', () => {
  it('stay linear on hostile names', () => {
    expect(isRepository(`${'a-'.repeat(120)}!`)).toBe(false);
    expect(isTag('.'.repeat(200))).toBe(false);
  });
});
