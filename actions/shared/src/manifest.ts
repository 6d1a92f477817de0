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

/** What each input says of itself, by its name. */
export function metaOf({ shape }: z.ZodObject): Record<string, InputMeta> {
  const entries = Object.entries(shape);
  return Object.fromEntries(
    entries.map(([name, schema]) => [name, InputMeta.parse(schema.meta() ?? {})]),
  );
}
