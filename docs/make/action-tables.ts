import { metaOf } from '@reposure/action-shared/manifest';
import type { Manifest } from '@reposure/action-shared/manifest';

import { tableOf } from './markdown.ts';

type InputMeta = ReturnType<typeof metaOf>[string];

/** A README with the tables of a manifest's inputs and outputs under the headings of these names. */
export function withTables(readme: string, { inputs, outputs }: Manifest): string {
  const inputRows = Object.entries(metaOf(inputs)).map(([name, meta]) => [
    `\`${name}\``,
    defaultOf(meta),
    meta.description,
  ]);
  const outputRows = Object.entries(outputs).map(([name, text]) => [`\`${name}\``, text]);
  const withInputs = withTable(readme, 'Inputs', tableOf(['Input', 'Default', ''], inputRows));
  return withTable(withInputs, 'Outputs', tableOf(['Output', ''], outputRows));
}

function defaultOf({ required, default: value }: InputMeta): string {
  if (required) return 'required';
  return value === undefined ? '' : `\`${value}\``;
}

function withTable(text: string, heading: string, table: string): string {
  const at = text.indexOf(`\n## ${heading}\n`);
  if (at < 0) throw new TypeError(`README without the heading "${heading}"`);
  // The first table behind the heading.
  return text.slice(0, at) + text.slice(at).replace(/(?:^\|.*\n)+/m, () => `${table}\n`);
}
