import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { root } from './documents.ts';
import { generatedFiles } from './generated.ts';

// Makes anew all that is made of other files for people to read: `npm run docs`.
const files = await generatedFiles();
rmSync(join(root, 'docs/reference'), { recursive: true, force: true });
for (const [path, text] of files) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
