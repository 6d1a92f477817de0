import { describe, expect, it } from 'vitest';

import type { Fields } from './object.ts';
import { compileSchema } from './schema.ts';

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['name'],
      'x-kubernetes-validations': [{ rule: 'has(self.a) != has(self.b)', message: 'want a or b' }],
      properties: {
        name: { type: 'string', minLength: 2 },
        kind: { type: 'string', enum: ['x', 'y'], default: 'x' },
        a: { type: 'string' },
        b: {
          type: 'object',
          default: undefined,
          properties: { n: { type: 'integer', default: 1 } },
        },
        port: { 'x-kubernetes-int-or-string': true },
        maybe: { type: 'string', nullable: true },
        list: { type: 'array', items: { type: 'object', properties: { k: { type: 'string' } } } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        map: { type: 'object', additionalProperties: { type: 'integer' } },
      },
    },
  },
};

const compiled = compileSchema(schema);

function causes(spec: Fields): string[] {
  return compiled.validate({ spec }).map(({ field, message }) => `${field}: ${message}`);
}

describe('compileSchema()', () => {
  it.each([
    [{ name: 'ok', a: '1', port: 80, maybe: null, map: { x: 1 } }, []],
    [{ name: 'ok', a: '1', port: 'http' }, []],
    [{ a: '1' }, ['spec.name: Required value']],
    [
      { name: 'ok', a: 1 },
      ['spec.a: Invalid value: "integer": spec.a in body must be of type string: "integer"'],
    ],
    [
      { name: 'ok', a: '1', kind: 'z' },
      ['spec.kind: Unsupported value: "z": supported values: "x", "y"'],
    ],
    [{ name: 'ok' }, ['spec: Invalid value: "object": want a or b']],
    [{ name: 'ok', a: '1', b: {} }, ['spec: Invalid value: "object": want a or b']],
    [
      { name: 'ok', a: '1', port: true },
      [
        'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
      ],
    ],
  ])('%j: %j', (spec, expected) => {
    expect(causes(spec)).toEqual(expected);
  });

  it('drops what is unknown, and says what', () => {
    const object: Fields = {
      apiVersion: 'v1',
      metadata: { labels: { any: 'thing' } },
      extra: 1,
      spec: { typo: 1, list: [{ k: 'v', z: 1 }], free: { any: 1 }, map: { any: 1 } },
    };
    expect(compiled.prune(object)).toEqual(['extra', 'spec.typo', 'spec.list[0].z']);
    expect(object).toEqual({
      apiVersion: 'v1',
      metadata: { labels: { any: 'thing' } },
      spec: { list: [{ k: 'v' }], free: { any: 1 }, map: { any: 1 } },
    });
  });

  it('fills in defaults, also inside of what is there', () => {
    const object: Fields = { spec: { b: {}, kind: null, maybe: null } };
    compiled.fillDefaults(object);
    expect(object).toEqual({ spec: { b: { n: 1 }, kind: 'x', maybe: null } });
  });

  it('refuses a rule that it does not understand', () => {
    const rules = [{ rule: 'size(self) > 1' }];
    expect(() => compileSchema({ type: 'object', 'x-kubernetes-validations': rules })).toThrow(
      /Cannot read CEL rule/,
    );
  });
});
