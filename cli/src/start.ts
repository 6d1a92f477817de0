import { basename } from 'node:path';

import { keepYoungGenerationSmall } from './young-generation.ts';

/**
 * Runs the program under whose name this process was started, and sets the exit status; each is
 * loaded only when it is the one, so that a surrogate stays small.
 */
export async function start(argv: readonly string[] = process.argv): Promise<void> {
  process.exitCode = await statusOf(basename(argv[1] ?? 'reposure', '.js'), argv.slice(2));
}

async function statusOf(name: string, words: readonly string[]): Promise<number> {
  if (name === 'reposure-operator') {
    keepYoungGenerationSmall();
    const { operatorMain } = await import('@reposure/operator');
    return operatorMain(words);
  }
  if (name === 'reposure-surrogate') {
    keepYoungGenerationSmall();
    const { surrogateMain } = await import('@reposure/operator/surrogate');
    return surrogateMain(words);
  }
  const { run } = await import('./main.ts');
  return run(name, words);
}
