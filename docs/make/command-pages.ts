import { program } from '../../cli/src/main.ts';
import type { Command } from './command-line.ts';
import { tableOf } from './markdown.ts';

type Option = Command['options'][number];
type Argument = Command['registeredArguments'][number];

/** Says where a generated page comes from. */
export const madeByDocs = '<!-- Made by `npm run docs`. -->';

/** A page for each command of the first level, by its file. */
export async function commandPages(): Promise<ReadonlyMap<string, string>> {
  const root = await program();
  return new Map(visible(root).map((command) => [`${command.name()}.md`, pageOf(command)]));
}

/** The list of commands, with links to their pages. */
export async function commandIndex(): Promise<string> {
  const root = await program();
  const rows = visible(root)
    .flatMap(leavesOf)
    .map((command) => [`[${pathOf(command)}](${linkOf(command)})`, escaped(command.description())]);
  return tableOf(['Command', ''], rows);
}

/** The options that every command takes. */
export async function globalOptions(): Promise<string> {
  return optionTable(optionsOf(await program()).filter(({ long }) => long !== '--version'));
}

function pageOf(command: Command): string {
  const leaves = leavesOf(command);
  const isLeaf = leaves[0] === command;
  const parts = [
    `# ${pathOf(command)}`,
    madeByDocs,
    `${sentence(command.description())} [Every command](README.md#options-of-every-command) takes \`-n\`, \`--kubeconfig\`, \`--context\`, \`-o\` and \`-v\`, too.`,
    ...(isLeaf ? bodyOf(command) : leaves.flatMap(sectionOf)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function sectionOf(command: Command): string[] {
  return [`## ${pathOf(command)}`, sentence(command.description()), ...bodyOf(command)];
}

function bodyOf(command: Command): string[] {
  const help = command.createHelp();
  const aliases = command.aliases().map((alias) => `\`${alias}\``);
  return [
    `\`\`\`text\n${help.commandUsage(command).replace(/^reposure \[options\] /, 'reposure ')}\n\`\`\``,
    ...(aliases.length > 0 ? [`Also: ${aliases.join(', ')}.`] : []),
    ...argumentTable(command.registeredArguments),
    ...(optionsOf(command).length > 0 ? [optionTable(optionsOf(command))] : []),
    ...notesOf(command),
  ];
}

function argumentTable(given: readonly Argument[]): string[] {
  if (given.length === 0) return [];
  const rows = given.map((each) => [
    `\`${each.required ? `<${nameOf(each)}>` : `[${nameOf(each)}]`}\``,
    [escaped(each.description), choicesOf(each.argChoices)].filter(Boolean).join('; '),
  ]);
  return [tableOf(['Argument', ''], rows)];
}

function nameOf(argument: Argument): string {
  return argument.variadic ? `${argument.name()}...` : argument.name();
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map((option) => [`\`${option.flags}\``, defaultOf(option), textOf(option)]);
  return tableOf(['Option', 'Default', ''], rows);
}

function optionsOf(command: Command): Option[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help');
}

function defaultOf({ mandatory, defaultValue, negate }: Option): string {
  if (mandatory) return 'required';
  const isSaid = defaultValue !== undefined && !negate && !Array.isArray(defaultValue);
  return isSaid ? `\`${String(defaultValue)}\`` : '';
}

function textOf({ description, argChoices }: Option): string {
  return [escaped(description), choicesOf(argChoices)].filter(Boolean).join('; ');
}

function choicesOf(choices: readonly string[] | undefined): string {
  return choices ? `one of ${choices.map((choice) => `\`${choice}\``).join(', ')}` : '';
}

/**
 * What the help says behind the options: paragraphs as they are, and lists and examples as blocks.
 *
 * @see {@link Command.addHelpText}
 */
function notesOf(command: Command): string[] {
  let help = '';
  command.configureOutput({ writeOut: (part) => (help += part) }).outputHelp();
  const notes = help.slice(command.helpInformation().length);
  return notes
    .split(/\n\n+|(?<=:)\n(?= )/)
    .map((part) => part.replaceAll(/^\n+|\s+$/g, ''))
    .filter(Boolean)
    .flatMap((part, at, all) => blockOf(part, all[at - 1]));
}

/** What is no code must not be taken for HTML. */
function escaped(text: string): string {
  return text.replaceAll('<', '\\<');
}

function blockOf(part: string, before: string | undefined): string[] {
  if (!part.startsWith(' ')) return [escaped(part)];
  const language = before === 'Examples:' ? 'sh' : 'text';
  return [`\`\`\`${language}\n${part.replaceAll(/^ {2}/gm, '')}\n\`\`\``];
}

function visible(command: Command): Command[] {
  const subcommands = command.createHelp().visibleCommands(command);
  return subcommands.filter((each) => each.name() !== 'help');
}

function leavesOf(command: Command): Command[] {
  const subcommands = visible(command);
  return subcommands.length === 0 ? [command] : subcommands.flatMap(leavesOf);
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

function linkOf(command: Command): string {
  const [, group = '', ...rest] = pathOf(command).split(' ');
  return rest.length === 0
    ? `${group}.md`
    : `${group}.md#${pathOf(command).toLowerCase().replaceAll(' ', '-')}`;
}

function sentence(text: string): string {
  return escaped(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
}
