import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { root } from './documents.ts';
import { generatedFiles } from './generated.ts';

const files = await generatedFiles();

describe('generated files', () => {
  it.each([...files])('%s is as `npm run docs` makes it', (path, text) => {
    const file = join(root, path);
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(text);
  });

  it('are all that is in docs/reference: no page of a command that is gone', () => {
    const pages = globSync('docs/reference/**/*.md', { cwd: root });
    expect(pages.filter((path) => !files.has(path))).toEqual([]);
  });
});
