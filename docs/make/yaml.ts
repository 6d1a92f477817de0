import { parseAllDocuments } from 'yaml';
import * as z from 'zod';

import { blocksOf } from './markdown.ts';

/** A step of a GitHub job, as far as documents are checked. */
const Step = z.object({
  id: z.string().default(''),
  uses: z.string().default(''),
  with: z.record(z.string(), z.unknown()).default({}),
  run: z.string().default(''),
});
type Step = z.infer<typeof Step>;

/** What the YAML blocks of a Markdown document hold. @throws {SyntaxError} if one is no YAML. */
export function yamlOf(markdown: string): unknown[] {
  return blocksOf(markdown)
    .filter(({ language }) => language === 'yaml')
    .flatMap(({ text }) => parsed(text));
}

/** The shell scripts of the GitHub steps in a YAML block; an expression is a word of its own. */
export function scriptsOf(yaml: string): string[] {
  return parsed(yaml)
    .flatMap(stepsOf)
    .map(({ run }) => run.replaceAll(/\$\{\{.*?\}\}/g, 'EXPRESSION'));
}

/** The steps of GitHub jobs, wherever they are. */
export function stepsOf(value: unknown): Step[] {
  if (Array.isArray(value)) return value.flatMap(stepsOf);
  if (typeof value !== 'object' || value === null) return [];
  const isStep = 'uses' in value || 'run' in value;
  return isStep ? [Step.parse(value)] : Object.values(value).flatMap(stepsOf);
}

function parsed(yaml: string): unknown[] {
  return parseAllDocuments(yaml).map((document) => {
    const [error] = document.errors;
    if (error) throw new SyntaxError(`Cannot read YAML: ${error.message}`, { cause: error });
    return document.toJS() as unknown;
  });
}
