import { describe, expect, it } from 'vitest';

import { registryCrd } from './crd.ts';
import { isRegistryName, maxRegistryNameLength, names } from './registry.ts';

/** Keywords that a structural schema refuses. */
const refused = [
  'additionalProperties',
  '$schema',
  '$ref',
  'const',
  'oneOf',
  'anyOf',
  'allOf',
  'exclusiveMinimum',
];

describe('registryCrd()', () => {
  const text = JSON.stringify(registryCrd());

  it.each(refused)('has no %s: a structural schema refuses it', (keyword) => {
    expect(text).not.toContain(`"${keyword}"`);
  });

  it('keeps every field of the predecessor', () => {
    for (const field of [
      'type',
      'direct',
      'indirect',
      'authenticationSecret',
      'authenticationSecretDataKey',
      'authorizationSecret',
      'surrogatePod',
    ]) {
      expect(text).toContain(`"${field}":{`);
    }
  });

  it('has one rule, of has(), &&, || and ! only', () => {
    const [, rule = ''] = /"rule":"([^"]+)"/.exec(text) ?? [];
    expect(rule.replaceAll(/has\(self\.\w+\)|&&|\|\||[!() ]/g, '')).toBe('');
    expect(rule).toContain('has(self.direct)');
  });

  it('merges conditions by type, as server-side apply wants', () => {
    expect(text).toContain('"x-kubernetes-list-map-keys":["type"]');
  });
});

describe('isRegistryName()', () => {
  it('lets through only names whose Pod’s labels fit', () => {
    const longest = 'r'.repeat(maxRegistryNameLength);
    expect(isRegistryName(longest)).toBe(true);
    expect(isRegistryName(`${longest}r`)).toBe(false);
    expect(`${names.surrogate(longest)}-${'h'.repeat(10)}`).toHaveLength(63);
  });

  it.each(['', 'A', 'a.b', '-a', 'a-', 'a_b', 'a\n'])('refuses %j', (name) => {
    expect(isRegistryName(name)).toBe(false);
  });
});
