import { fileURLToPath } from 'node:url';

import { runProgram } from '../test/support/tools.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** `reposure` as it is shipped, which is what the peers are compared with: bundled anew from this checkout. */
export async function bundledProgram(): Promise<string> {
  const { status, stderr } = await runProgram([process.execPath, `${root}operator/bundle.ts`]);
  if (status !== 0) throw new Error(`Cannot bundle the program: ${stderr}`);
  return `${root}build/image/reposure.mjs`;
}
