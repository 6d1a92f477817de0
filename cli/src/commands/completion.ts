import { Command } from 'commander';

import { writeOut } from '../standard-output.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** `completion SHELL`: a script that asks this program for what may come next. */
export function completionCommand(): Command {
  const completion = new Command('completion').description(
    'print a completion script for bash, zsh or fish',
  );
  for (const shell of shells) {
    completion
      .command(shell)
      .description(`for ${shell}: ${hints[shell]}`)
      .addHelpText('after', `\nExamples:\n  ${hints[shell]}\n`)
      .action(() => writeOut(scripts[shell]));
  }
  completion
    .command('words', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: readonly string[], _, command: Command) => {
      const found = candidatesFor(rootOf(command), words);
      await writeOut(found.map((word) => `${word}\n`).join(''));
    });
  return completion;
}

/**
 * What may stand at the end of a command line.
 *
 * @param words Everything behind the program's name, the last one as far as it is typed.
 */
export function candidatesFor(root: Command, words: readonly string[]): string[] {
  const typed = words.at(-1) ?? '';
  const command = words
    .slice(0, -1)
    .filter((word) => !word.startsWith('-'))
    .reduce<Command>((at, word) => at.commands.find((sub) => isNamed(sub, word)) ?? at, root);
  const offered = typed.startsWith('-')
    ? [...command.options, ...root.options].map(({ long }) => long ?? '')
    : command
        .createHelp()
        .visibleCommands(command)
        .map((sub) => sub.name());
  return [...new Set(offered)].filter((word) => word !== '' && word.startsWith(typed));
}

function isNamed(command: Command, word: string): boolean {
  return command.name() === word || command.aliases().includes(word);
}

function rootOf(command: Command): Command {
  return command.parent ? rootOf(command.parent) : command;
}

const hints: Record<Shell, string> = {
  bash: 'source <(reposure completion bash)',
  zsh: 'source <(reposure completion zsh)',
  fish: 'reposure completion fish | source',
};

const scripts: Record<Shell, string> = {
  bash: `_reposure() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  mapfile -t COMPREPLY < <(reposure completion words -- "\${words[@]}" 2>/dev/null)
  [ \${#COMPREPLY[@]} -gt 0 ] || compopt -o default
}
complete -F _reposure reposure
`,
  zsh: `#compdef reposure
_reposure() {
  local -a found
  found=(\${(f)"$(reposure completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -- $found; else _files; fi
}
compdef _reposure reposure
`,
  fish: `complete -c reposure -f -a '(set -l words (commandline -opc) (commandline -ct); reposure completion words -- $words[2..-1] 2>/dev/null; or __fish_complete_path (commandline -ct))'
`,
};
