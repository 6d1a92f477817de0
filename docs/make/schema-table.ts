import * as z from 'zod';

import { tableOf } from './markdown.ts';

/** A table of all fields of a type, those inside of it by their path; `?` is behind those that may be missing. */
export function schemaTable(type: z.ZodType): string {
  const schema = Schema.parse(z.toJSONSchema(type, { unrepresentable: 'any', io: 'input' }));
  return tableOf(['Field', 'Type', ''], rowsOf(schema));
}

/** What a JSON schema says of a value, as far as it is shown. */
const Schema = z.object({
  // Digests are checked by a function, of which JSON Schema knows nothing.
  type: z.string().default('string'),
  description: z.string().default(''),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  required: z.array(z.string()).default([]),
  get properties() {
    return z.record(z.string(), Schema).default({});
  },
  get items() {
    return Schema.optional();
  },
  get oneOf() {
    return z.array(Schema).default([]);
  },
});
type Schema = z.infer<typeof Schema>;

/** Alternatives told apart by a constant, as one object: what not all of them have may be missing. */
function joined(schema: Schema): Schema {
  const { oneOf } = schema;
  if (oneOf.length === 0) return schema;
  const properties = Object.fromEntries(oneOf.flatMap((each) => Object.entries(each.properties)));
  const certain = Object.keys(properties).filter((name) =>
    oneOf.every(({ required }) => required.includes(name)),
  );
  for (const name of certain) {
    const constants = oneOf.map((each) => each.properties[name]?.const);
    const field = properties[name];
    if (field && !constants.includes(undefined)) properties[name] = { ...field, enum: constants };
  }
  return { ...schema, type: 'object', properties, required: certain };
}

/** A row for each field, those of objects inside of it by their path. */
function rowsOf({ properties, required }: Schema, path = ''): string[][] {
  return Object.entries(properties).flatMap(([name, given]) => {
    const field = joined(given);
    const optional = required.includes(name) ? '' : '?';
    const inner = field.items ?? field;
    const at = `${path}${name}${field.items ? '[]' : ''}`;
    const row = [`\`${at}${optional}\``, typeOf(field), field.description || inner.description];
    return [row].concat(rowsOf(inner, `${at}.`));
  });
}

function typeOf({ type, enum: choices, items }: Schema): string {
  if (items) return `array of ${typeOf(items)}`;
  return choices ? choices.map((choice) => `\`${String(choice)}\``).join(', ') : type;
}
