import * as z from 'zod';

import { madeByDocs } from './command-pages.ts';
import { tableOf } from './markdown.ts';
import { describedResults, results } from './results.ts';
import type { DescribedResult } from './results.ts';

/** What `-o json` prints. */
export function resultsPage(): string {
  const rows = results.map(({ command, isList = false, fields, note = '' }) => {
    const names = Object.entries(fields).map(
      ([name, isCertain]) => `\`${name}${isCertain ? '' : '?'}\``,
    );
    return [`\`${command}\``, `${isList ? 'array of ' : ''}${names.join(', ')}`, note];
  });
  const parts = [
    '# What `-o json` prints',
    madeByDocs,
    'One value on standard output, once all is done; what happens meanwhile goes to standard error. `-o yaml` prints the same. A command that fails prints nothing there. A field with `?` is there only if there is something to say.',
    ...describedResults.flatMap(sectionOf),
    '## Other commands',
    tableOf(['Command', 'Fields', ''], rows),
    'Commands that are not here, such as `registry logs`, print text only.',
  ];
  return `${parts.join('\n\n')}\n`;
}

function sectionOf({ title, type, commands, lists = [] }: DescribedResult): string[] {
  const schema = Schema.parse(z.toJSONSchema(type, { unrepresentable: 'any' }));
  const others = lists.length > 0 ? `; of ${namesOf(lists)}, an array of them` : '';
  return [
    `## ${title}`,
    `Of ${namesOf(commands)}${others}.`,
    tableOf(['Field', 'Type', ''], rowsOf(schema)),
  ];
}

function namesOf(commands: readonly string[]): string {
  return commands.map((command) => `\`${command}\``).join(', ');
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
