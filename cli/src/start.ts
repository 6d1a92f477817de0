import { basename } from 'node:path';
import { setFlagsFromString } from 'node:v8';

// The only flags of V8 that are set, for all programs. Image data passes in short-lived buffers: a
// young generation that stays at 1 MiB lets go of them soon, where the usual 16 MiB would hold
// 100 MB of them at a time. Transfers take no more CPU for it, a short command 15 ms more, and
// `reposure try` about a sixth.
setFlagsFromString('--semi-space-growth-factor=1');
// And sooner still: whenever there is time for it and a tenth of that is used, instead of four fifths.
setFlagsFromString('--minor-gc-task-trigger=10');

/**
 * Runs the program under whose name this process was started, and sets the exit status; each is
 * loaded only when it is the one, so that a surrogate stays small.
 */
export async function start(argv: readonly string[] = process.argv): Promise<void> {
  process.exitCode = await statusOf(basename(argv[1] ?? 'reposure', '.js'), argv.slice(2));
}

async function statusOf(name: string, words: readonly string[]): Promise<number> {
  if (name === 'reposure-operator') {
    const { operatorMain } = await import('@reposure/operator');
    return operatorMain(words);
  }
  if (name === 'reposure-surrogate') {
    const { surrogateMain } = await import('@reposure/operator/surrogate');
    return surrogateMain(words);
  }
  const { run } = await import('./main.ts');
  return run(name, words);
}
