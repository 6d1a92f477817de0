import { TransferResult } from '@reposure/core/transfer';
import * as z from 'zod';

import { madeByDocs } from './command-pages.ts';
import { tableOf } from './markdown.ts';
import { results, transfers } from './results.ts';

/** What `-o json` prints. */
export function resultsPage(): string {
  const rows = results.map(({ command, isList = false, fields, note = '' }) => [
    `\`${command}\``,
    [isList ? 'an array of objects: ' : '', fields.map((field) => `\`${field}\``).join(', ')].join(
      '',
    ),
    note,
  ]);
  const parts = [
    '# What `-o json` prints',
    madeByDocs,
    'One value on standard output, once all is done; what happens meanwhile goes to standard error. `-o yaml` prints the same. Nothing is printed by a command that fails. Fields may be added; those that are here stay.',
    '## A transfer',
    `Of ${transfers.map((command) => `\`${command}\``).join(', ')}: what was done, as the registry confirmed it.`,
    tableOf(['Field', 'Type', ''], rowsOf(transferSchema)),
    '## Other commands',
    'A field with `?` is there only if there is something to say.',
    tableOf(['Command', 'Fields', ''], rows),
    'Commands that are not here, such as `logs`, print text only.',
  ];
  return `${parts.join('\n\n')}\n`;
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

const transferSchema = Schema.parse(z.toJSONSchema(TransferResult, { unrepresentable: 'any' }));

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
