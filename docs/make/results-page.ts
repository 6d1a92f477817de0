import { madeByDocs } from './command-pages.ts';
import { tableOf } from './markdown.ts';
import { describedResults, results } from './results.ts';
import type { DescribedResult } from './results.ts';
import { schemaTable } from './schema-table.ts';

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
    'One value on standard output, once all is done; what happens meanwhile goes to standard error. `-o yaml` prints the same. A command that fails prints nothing there, save for a deployment that does not run: that has its failures. A field with `?` is there only if there is something to say.',
    ...describedResults.flatMap(sectionOf),
    '## Other commands',
    tableOf(['Command', 'Fields', ''], rows),
    'Commands that are not here, such as `registry logs`, print text only.',
  ];
  return `${parts.join('\n\n')}\n`;
}

function sectionOf({ title, type, commands, lists = [] }: DescribedResult): string[] {
  const others = lists.length > 0 ? `; of ${namesOf(lists)}, an array of them` : '';
  return [`## ${title}`, `Of ${namesOf(commands)}${others}.`, schemaTable(type)];
}

function namesOf(commands: readonly string[]): string {
  return commands.map((command) => `\`${command}\``).join(', ');
}
