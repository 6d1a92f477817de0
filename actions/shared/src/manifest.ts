import { stringify } from 'yaml';
import * as z from 'zod';

/** What an action says of itself: `action.yml` and the tables of its README are made of it. */
export interface Manifest {
  /** Its folder in `actions/`; its programs in `dist/` are called after it. */
  readonly name: string;
  readonly description: string;
  /** Of https://feathericons.com, as far as the marketplace has them. */
  readonly icon: string;
  readonly inputs: z.ZodObject;
  /** What each holds. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** What the metadata of an input's schema holds. */
export const InputMeta = z.object({
  description: z.string(),
  default: z.string().optional(),
  required: z.boolean().default(false),
});
type InputMeta = z.infer<typeof InputMeta>;

/**
 * The text of `action.yml`.
 *
 * `post` is a program of its own: if the runner kills `main` before it has saved any state, what runs
 * afterwards must not be `main` again.
 *
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax
 */
export function actionYaml({ name, description, icon, inputs, outputs }: Manifest): string {
  const declared = Object.entries(metaOf(inputs)).map(([input, meta]) => [
    input,
    {
      description: meta.description,
      ...(meta.required ? { required: true } : {}),
      ...(meta.default === undefined ? {} : { default: meta.default }),
    },
  ]);
  const document = {
    name: `Reposure ${name}`,
    description,
    author: 'Reposure',
    branding: { icon, color: 'blue' },
    inputs: Object.fromEntries(declared) as unknown,
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([output, text]) => [output, { description: text }]),
    ),
    runs: { using: 'node24', main: `../../dist/${name}.js`, post: `../../dist/${name}-post.js` },
  };
  return stringify(document, { lineWidth: 0, singleQuote: true });
}

/** A README with the tables of a manifest's inputs and outputs under the headings of these names. */
export function withTables(readme: string, { inputs, outputs }: Manifest): string {
  const inputRows = Object.entries(metaOf(inputs)).map(([name, meta]) => [
    `\`${name}\``,
    defaultOf(meta),
    meta.description,
  ]);
  const outputRows = Object.entries(outputs).map(([name, text]) => [`\`${name}\``, text]);
  const withInputs = withTable(readme, 'Inputs', [['Input', 'Default', ''], ...inputRows]);
  return withTable(withInputs, 'Outputs', [['Output', ''], ...outputRows]);
}

function metaOf({ shape }: z.ZodObject): Record<string, InputMeta> {
  const entries = Object.entries(shape);
  return Object.fromEntries(
    entries.map(([name, schema]) => [name, InputMeta.parse(schema.meta() ?? {})]),
  );
}

function defaultOf({ required, default: value }: InputMeta): string {
  if (required) return 'required';
  return value === undefined ? '' : `\`${value}\``;
}

function withTable(text: string, heading: string, rows: readonly (readonly string[])[]): string {
  const at = text.indexOf(`\n## ${heading}\n`);
  if (at < 0) throw new TypeError(`README without the heading "${heading}"`);
  // The first table behind the heading.
  return text.slice(0, at) + text.slice(at).replace(/(?:^\|.*\n)+/m, () => tableOf(rows));
}

/** As the formatter lays it out. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const [head = [], ...rest] = escaped;
  const widths = head.map((_, column) =>
    Math.max(3, ...escaped.map((row) => row[column]?.length ?? 0)),
  );
  const lineOf = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...rest].map(lineOf).join('');
}
