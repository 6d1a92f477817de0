import { ownProgram } from './program.ts';
import { runProgram } from './tools.ts';
import type { Finished, RunOptions } from './tools.ts';

/** What runs as `reposure`. */
export const cliScript = ownProgram.script;

/** Runs `reposure` as a person does, in a process of its own. */
export function reposure(words: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return runProgram([process.execPath, cliScript, ...words], options);
}

/** Runs `reposure`, which must succeed. @returns its standard output. */
export async function reposureOk(
  words: readonly string[],
  options: RunOptions = {},
): Promise<Buffer> {
  const { status, stdout, stderr } = await reposure(words, options);
  if (status !== 0) throw new Error(`reposure ${words.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}
