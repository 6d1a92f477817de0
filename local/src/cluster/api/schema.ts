import { Ajv } from 'ajv';
import type { ErrorObject } from 'ajv';

import { parseRule } from './cel.ts';
import type { Rule } from './cel.ts';
import type { Fields } from './object.ts';
import { fieldsOf, isFields, listOf, textOf } from './object.ts';

/** What is wrong with a field. */
interface SchemaCause {
  readonly field: string;
  readonly message: string;
  readonly reason: string;
}

/** A structural schema that can be put to use. */
export interface StructuralSchema {
  /** What breaks the schema or its rules. */
  validate(object: Fields): SchemaCause[];
  /** Fills in defaults, in place. */
  fillDefaults(object: Fields): void;
  /** Drops what the schema does not know, in place. @returns The paths that were dropped. */
  prune(object: Fields): string[];
}

interface PlacedRule {
  readonly holds: Rule;
  readonly message: string;
}

/**
 * Compiles a CRD's `openAPIV3Schema`.
 *
 * @throws {SyntaxError} for a CEL rule outside of what is understood here.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function compileSchema(schema: Fields): StructuralSchema {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, verbose: true });
  const check = ajv.compile(jsonSchemaOf(schema));
  const rules = new Map<unknown, PlacedRule[]>();
  collectRules(schema, rules);
  return {
    validate: (object) => {
      if (!check(object)) return (check.errors ?? []).map(causeOf);
      return brokenRules({ rules, schema, value: object, field: '' });
    },
    fillDefaults: (object) => {
      fillDefaults(schema, object);
    },
    prune: (object) => prune(schema, object, ''),
  };
}

/** OpenAPI v3's own words in those of JSON Schema. */
function jsonSchemaOf(schema: Fields): Fields {
  const { nullable, default: _default, exclusiveMinimum, exclusiveMaximum, ...rest } = schema;
  const result: Fields = {};
  for (const [key, value] of Object.entries(rest)) {
    if (!key.startsWith('x-kubernetes-')) result[key] = converted(key, value);
  }
  limit(result, 'minimum', exclusiveMinimum);
  limit(result, 'maximum', exclusiveMaximum);
  if (schema['x-kubernetes-int-or-string'] === true) result['type'] = ['integer', 'string'];
  if (nullable === true && result['type']) result['type'] = [result['type'], 'null'].flat();
  if (nullable === true && Array.isArray(result['enum']))
    result['enum'] = [...result['enum'], null];
  return result;
}

function limit(schema: Fields, name: 'minimum' | 'maximum', isExclusive: unknown): void {
  const exclusiveName = name === 'minimum' ? 'exclusiveMinimum' : 'exclusiveMaximum';
  if (typeof isExclusive === 'number') schema[exclusiveName] = isExclusive;
  if (isExclusive !== true) return;
  schema[exclusiveName] = schema[name];
  delete schema[name];
}

function converted(key: string, value: unknown): unknown {
  if (key === 'properties') {
    const entries = Object.entries(fieldsOf(value));
    return Object.fromEntries(
      entries.map(([name, inner]) => [name, jsonSchemaOf(fieldsOf(inner))]),
    );
  }
  if (['allOf', 'anyOf', 'oneOf'].includes(key)) {
    return listOf(value).map((inner) => jsonSchemaOf(fieldsOf(inner)));
  }
  return ['items', 'not', 'additionalProperties'].includes(key) && isFields(value)
    ? jsonSchemaOf(value)
    : value;
}

function fieldOf(pointer: string): string {
  const parts = pointer.split('/').slice(1);
  return parts
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')
    .slice(1);
}

function causeOf({ keyword, instancePath, params, data, message = '' }: ErrorObject): SchemaCause {
  const field = fieldOf(instancePath);
  const shown = JSON.stringify(data) ?? 'null';
  const given = params as {
    missingProperty?: string;
    allowedValues?: readonly unknown[];
    type?: string | readonly string[];
  };
  if (keyword === 'required') {
    const missing = [field, given.missingProperty].filter(Boolean).join('.');
    return { field: missing, message: 'Required value', reason: 'FieldValueRequired' };
  }
  if (keyword === 'enum') {
    const allowed = (given.allowedValues ?? []).map((value) => JSON.stringify(value)).join(', ');
    return {
      field,
      message: `Unsupported value: ${shown}: supported values: ${allowed}`,
      reason: 'FieldValueNotSupported',
    };
  }
  if (keyword === 'type') {
    const found = typeNameOf(data);
    const type = [given.type ?? ''].flat().join(',');
    return {
      field,
      message: `Invalid value: "${found}": ${field} in body must be of type ${type}: "${found}"`,
      reason: 'FieldValueTypeInvalid',
    };
  }
  return {
    field,
    message: `Invalid value: ${shown}: ${field} in body ${message}`,
    reason: 'FieldValueInvalid',
  };
}

function typeNameOf(data: unknown): string {
  if (data === null) return 'null';
  if (Array.isArray(data)) return 'array';
  return Number.isInteger(data) ? 'integer' : typeof data;
}

function childrenOf(schema: Fields): Fields[] {
  const inner = [...Object.values(fieldsOf(schema['properties'])), schema['items']];
  return [...inner, schema['additionalProperties']].filter(isFields);
}

function collectRules(schema: Fields, rules: Map<unknown, PlacedRule[]>): void {
  const written = listOf(schema['x-kubernetes-validations']).map((each) => {
    const { rule, message } = fieldsOf(each);
    const text = textOf(rule);
    return { holds: parseRule(text), message: textOf(message, `failed rule: ${text}`) };
  });
  if (written.length > 0) rules.set(schema, written);
  for (const child of childrenOf(schema)) collectRules(child, rules);
}

function brokenRules(at: {
  readonly rules: ReadonlyMap<unknown, readonly PlacedRule[]>;
  readonly schema: Fields;
  readonly value: unknown;
  readonly field: string;
}): SchemaCause[] {
  const { rules, schema, value, field } = at;
  const broken = (rules.get(schema) ?? [])
    .filter(({ holds }) => !isHeld(holds, value))
    .map(({ message }) => ({
      field,
      message: `Invalid value: ${summaryOf(value)}: ${message}`,
      reason: 'FieldValueInvalid',
    }));
  const inner = membersOf(schema, value).flatMap((member) =>
    brokenRules({
      rules,
      schema: member.schema,
      value: member.value,
      field: `${field}${member.at}`.replace(/^\./, ''),
    }),
  );
  return [...broken, ...inner];
}

function isHeld(holds: Rule, value: unknown): boolean {
  try {
    return holds(value);
  } catch {
    // An evaluation that fails is a rule that does not hold, as in the real API.
    return false;
  }
}

function summaryOf(value: unknown): string {
  return typeof value === 'object' ? `"${typeNameOf(value)}"` : JSON.stringify(value);
}

interface Member {
  readonly schema: Fields;
  readonly value: unknown;
  readonly at: string;
}

function membersOf(schema: Fields, value: unknown): Member[] {
  if (Array.isArray(value)) {
    const items = fieldsOf(schema['items']);
    return value.map((each: unknown, index) => ({ schema: items, value: each, at: `[${index}]` }));
  }
  const properties = fieldsOf(schema['properties']);
  const others = schema['additionalProperties'];
  return Object.entries(fieldsOf(value)).flatMap(([key, inner]) => {
    const known = properties[key] ?? others;
    return isFields(known) ? [{ schema: known, value: inner, at: `.${key}` }] : [];
  });
}

function fillDefaults(schema: Fields, value: unknown): void {
  if (isFields(value)) {
    for (const [key, inner] of Object.entries(fieldsOf(schema['properties']))) {
      const { default: preset, nullable } = fieldsOf(inner);
      if (value[key] === null && nullable !== true) delete value[key];
      if (value[key] === undefined && preset !== undefined) value[key] = structuredClone(preset);
    }
  }
  for (const member of membersOf(schema, value)) fillDefaults(member.schema, member.value);
}

function prune(schema: Fields, value: unknown, path: string): string[] {
  const dropped: string[] = [];
  const keepsAll =
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    (schema['additionalProperties'] !== undefined && schema['additionalProperties'] !== false);
  const properties = fieldsOf(schema['properties']);
  if (isFields(value) && !keepsAll) {
    for (const key of Object.keys(value)) {
      if (!isImplied(path, key) && !Object.hasOwn(properties, key)) {
        delete value[key];
        dropped.push(`${path}.${key}`.replace(/^\./, ''));
      }
    }
  }
  const inner = membersOf(schema, value).filter(({ at }) => !isImplied(path, at.slice(1)));
  return [...dropped, ...inner.flatMap((each) => prune(each.schema, each.value, path + each.at))];
}

function isImplied(path: string, key: string): boolean {
  return path === '' && ['apiVersion', 'kind', 'metadata'].includes(key);
}
