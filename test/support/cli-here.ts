import { vi } from 'vitest';

import { run } from '../../cli/src/main.ts';
import type { Finished } from './tools.ts';

/**
 * Runs `reposure` in this process, to see what it says of wrong usage. Only for words with which it
 * ends before a cluster is opened: from there on it listens for signals and sets flags of V8.
 */
export async function reposureHere(words: readonly string[]): Promise<Finished> {
  const said = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text);
      return true;
    }),
  );
  try {
    const status = await run('reposure', words);
    return { status, stdout: Buffer.from(said.stdout), stderr: said.stderr };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
