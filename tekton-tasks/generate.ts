import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { generatedFiles } from './generated.ts';

// Makes the READMEs and the StepActions anew: `npm run tekton`.
for (const [path, text] of generatedFiles()) {
  const file = fileURLToPath(new URL(path, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
