import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import { describe, expect, it } from 'vitest';
import * as z from 'zod';

import { manifests } from '../../actions/manifests.ts';
import { readStepTask, taskNames } from '../../tekton-tasks/task.ts';
import { problemOf, program, wordsOf } from './command-line.ts';
import { documents, root } from './documents.ts';
import { anchorsOf, blocksOf, codesOf, linksOf } from './markdown.ts';
import { commandsOf } from './shell.ts';
import { scriptsOf, stepsOf, yamlOf } from './yaml.ts';

const all = documents();
// What a changelog tells of was true once.
const living = all.filter(({ path }) => path !== 'CHANGELOG.md');

describe.each(all)('$path', ({ path, text }) => {
  it('has links and anchors that lead somewhere', () => {
    const broken = linksOf(text).filter((link) => !leadsSomewhere(path, link.text));
    expect(broken).toEqual([]);
  });
});

describe.each(living)('$path', ({ path, text }) => {
  it('has command lines that the parser takes', async () => {
    const problems: string[] = [];
    for (const { command, line } of commandLinesOf(text)) {
      const words = wordsOf(command);
      const problem = words && (await problemOf(words));
      if (problem !== undefined) problems.push(`line ${line}: ${command.join(' ')}: ${problem}`);
    }
    expect(problems).toEqual([]);
  });

  it('names commands and options that there are', async () => {
    const problems: string[] = [];
    for (const { text: code, line } of codesOf(text)) {
      for (const words of partsOf(code)) {
        const problem = await problemOf(words, { isPart: true });
        if (problem !== undefined) problems.push(`line ${line}: ${code}: ${problem}`);
      }
    }
    expect(problems).toEqual([]);
  });

  it('runs scripts and programs of this repository that there are', () => {
    const commands = [
      ...commandLinesOf(text).map(({ command }) => command),
      ...codesOf(text).flatMap(({ text: code }) => quietly(code)),
    ];
    const scripts = scriptsAt(path);
    const missing = commands.filter(([file, ...words]) => {
      const [first = ''] = words;
      if (file === 'node') return first.endsWith('.ts') && !isThere(first);
      return file === 'npm' && first === 'run' && !scripts.has(words[1] ?? '');
    });
    expect(missing).toEqual([]);
  });

  it('gives actions and Tasks what they take', () => {
    expect(yamlOf(text).flatMap(strangersOf)).toEqual([]);
  });
});

/** Those of the package that a document is about: the nearest one, or the whole repository. */
function scriptsAt(path: string): ReadonlySet<string> {
  const [own, whole] = [join(dirname(path), 'package.json'), 'package.json'];
  const file = join(root, isThere(own) ? own : whole);
  const { scripts = {} } = JSON.parse(readFileSync(file, 'utf8')) as { scripts?: object };
  return new Set(Object.keys(scripts));
}

function isThere(path: string): boolean {
  return existsSync(join(root, path));
}

function leadsSomewhere(from: string, target: string): boolean {
  if (/^[a-z]+:/.test(target)) return true;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : normalize(join(from, '..', decodeURIComponent(path)));
  if (!isThere(file)) return false;
  return anchor === undefined || anchorsOf(readFileSync(join(root, file), 'utf8')).has(anchor);
}

/** The commands of a document's shell blocks, and of the scripts in its YAML. */
function commandLinesOf(text: string): { command: string[]; line: number }[] {
  return blocksOf(text).flatMap(({ language, text: block, line }) => {
    const shells = language === 'yaml' ? scriptsOf(block) : language === 'sh' ? [block] : [];
    return shells.flatMap((shell) => commandsOf(shell).map((command) => ({ command, line })));
  });
}

const groups = (await program()).commands.map((command) => ({
  name: command.name(),
  subcommands: new Set(command.commands.flatMap((sub) => [sub.name(), ...sub.aliases()])),
}));

/** The command lines of `reposure` in a code of running text, which may leave out the program's name. */
function partsOf(code: string): (readonly string[])[] {
  return quietly(code).flatMap((command) => {
    const words = wordsOf(command) ?? command;
    const [name, next = ''] = words;
    const group = groups.find((each) => each.name === name);
    const isOurs =
      words !== command || group?.subcommands.has(next) || (group && next.startsWith('-'));
    return isOurs ? [words.filter((word) => word !== '…')] : [];
  });
}

/** Code in running text is often no shell at all. */
function quietly(code: string): string[][] {
  try {
    return commandsOf(code);
  } catch {
    return [];
  }
}

/** Inputs and params that the action or Task does not have. */
function strangersOf(document: unknown): string[] {
  const inputs = stepsOf(document).flatMap(({ uses, with: given }) => {
    const name = /^(?:reposure\/reposure|\.)\/actions\/([\w-]+)(?:@|$)/.exec(uses)?.[1];
    const shape = manifests.find((manifest) => manifest.name === name)?.inputs.shape ?? {};
    return name === undefined ? [] : unknownTo(uses, Object.keys(given), Object.keys(shape));
  });
  const { data } = TaskRun.safeParse(document);
  const { taskRef, params } = data?.spec ?? {};
  const task = taskNames().find((name) => name === taskRef?.name);
  if (task === undefined || params === undefined) return inputs;
  const known = (readStepTask(task).spec.params ?? []).map(({ name }) => name);
  return [
    ...inputs,
    ...unknownTo(
      task,
      params.map(({ name }) => name),
      known,
    ),
  ];
}

const Named = z.object({ name: z.string() });
const TaskRun = z.object({
  spec: z.object({ taskRef: Named, params: z.array(Named).default([]) }),
});

function unknownTo(where: string, given: readonly string[], known: readonly string[]): string[] {
  return given.filter((name) => !known.includes(name)).map((name) => `${where} has no ${name}`);
}
