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
  required: z.array(z.string()).default([]),
  get properties() {
    return z.record(z.string(), Schema).default({});
  },
  get items() {
    return Schema.optional();
  },
});
type Schema = z.infer<typeof Schema>;

/** A row for each field, those of objects inside of it by their path. */
function rowsOf({ properties, required }: Schema, path = ''): string[][] {
  return Object.entries(properties).flatMap(([name, field]) => {
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
