import { program } from '../../cli/src/main.ts';

export { program };

/** What the command line is made of. */
export type Command = Awaited<ReturnType<typeof program>>;

/** How much of a command line has to be there. */
export interface ProblemOptions {
  /** In running text, `image push` stands for any command line that begins like it. */
  readonly isPart?: boolean;
}

/** What may be missing in running text. */
const incomplete: ReadonlySet<string> = new Set([
  'commander.help',
  'commander.missingArgument',
  'commander.missingMandatoryOptionValue',
  'commander.optionMissingArgument',
]);

/** Files that are written while options are read, as that of `result array` is: a document's must not be. */
const writing: ReadonlySet<string> = new Set(['--result', '--empty-result']);

/**
 * What the real parser says against a command line of `reposure`; `undefined` if nothing.
 *
 * @param words What stands behind the program's name.
 */
export async function problemOf(
  words: readonly string[],
  { isPart = false }: ProblemOptions = {},
): Promise<string | undefined> {
  const root = await program();
  for (const command of allOf(root)) {
    command.action(() => {});
    command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
  }
  try {
    await root.parseAsync(withoutFiles(words), { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = 'code' in error ? String(error.code) : '';
    const isHelp = code === 'commander.helpDisplayed' || code === 'commander.version';
    return isHelp || (isPart && incomplete.has(code)) ? undefined : error.message;
  }
}

/** Every command below one, itself included, in the order of the help. */
function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

/**
 * What stands behind the program's name in a command of a shell.
 *
 * @returns `undefined` if it runs another program.
 */
export function wordsOf(command: readonly string[]): readonly string[] | undefined {
  const at = command.findIndex((word) => !/^\w+=/.test(word) && word !== '$');
  const rest = command.slice(Math.max(0, at));
  const prefix = ['npx', 'kubectl', 'exec', 'time'].includes(rest[0] ?? '') ? 1 : 0;
  return rest[prefix] === 'reposure' ? rest.slice(prefix + 1) : undefined;
}

function withoutFiles(words: readonly string[]): string[] {
  const isResult = words[0] === 'result' && words[1] === 'array';
  return words.map((word, at) => {
    if (isResult && at === 2) return '/dev/null';
    const [, flag = '', name = '='] = /^(--[\w-]+)=([^=]*=)?/.exec(word) ?? [];
    if (writing.has(flag)) return `${flag}=${name === '=' ? '' : name}/dev/null`;
    if (!writing.has(words[at - 1] ?? '')) return word;
    return word.includes('=') ? word.replace(/=.*/s, '=/dev/null') : '/dev/null';
  });
}
