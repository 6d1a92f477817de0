import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** A Markdown document of the repository. */
export interface Document {
  /** From the root on. */
  readonly path: string;
  readonly text: string;
}

/** Every Markdown document of the repository. */
export function documents(): Document[] {
  return globSync('**/*.md', { cwd: root, exclude: ['**/node_modules', 'dist', '**/build'] })
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}
