import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is started as a program: the bundle of this run of the tests; the sources elsewhere, as in a bench. */
export interface OwnProgram {
  /** What runs as `reposure`, and under its other names by links. */
  readonly script: string;
  /** Holds those links. */
  readonly binFolder: string;
  /** What stands for the images `registry:2` and `registry:3`; absent where the embedded cluster's own does. */
  readonly registryScript?: string;
}

/** Names where the bundle is to be had: see program-bundle.ts. */
export const programVariable = 'REPOSURE_TEST_PROGRAM';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const ownProgram = await findProgram(process.env[programVariable]);

async function findProgram(url: string | undefined): Promise<OwnProgram> {
  if (!url) {
    return {
      script: join(root, 'cli', 'bin', 'reposure.js'),
      binFolder: join(root, 'node_modules', '.bin'),
    };
  }
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot bundle the program: ${text}`);
  return {
    script: join(text, 'reposure.mjs'),
    binFolder: join(text, 'bin'),
    registryScript: join(text, 'registry-program.mjs'),
  };
}
