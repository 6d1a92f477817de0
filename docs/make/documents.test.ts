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

/** Inputs, outputs and params that the action or Task does not have. */
function strangersOf(document: unknown): string[] {
  return [...unknownInputs(document), ...unknownOutputs(document), ...unknownParams(document)];
}

function unknownInputs(document: unknown): string[] {
  return stepsOf(document).flatMap(({ uses, with: given }) => {
    const manifest = manifestOf(uses);
    return manifest ? unknownTo(uses, Object.keys(given), Object.keys(manifest.inputs.shape)) : [];
  });
}

/** What other steps of the same block take from ours. */
function unknownOutputs(document: unknown): string[] {
  const text = JSON.stringify(document);
  return stepsOf(document).flatMap(({ id, uses }) => {
    const manifest = manifestOf(uses);
    if (id === '' || manifest === undefined) return [];
    const pattern = new RegExp(String.raw`steps\.${id}\.outputs\.([\w-]+)`, 'g');
    const named = [...text.matchAll(pattern)].map(([, name = '']) => name);
    return unknownTo(uses, named, Object.keys(manifest.outputs));
  });
}

function unknownParams(document: unknown): string[] {
  const { data } = TaskRun.safeParse(document);
  if (!data || !taskNames().includes(data.spec.taskRef.name)) return [];
  const { taskRef, params } = data.spec;
  const known = readStepTask(taskRef.name).spec.params ?? [];
  return unknownTo(taskRef.name, namesOf(params), namesOf(known));
}

/** The manifest of an action of ours. */
function manifestOf(uses: string): (typeof manifests)[number] | undefined {
  const name = /^(?:reposure\/reposure|\.)\/actions\/([\w-]+)(?:@|$)/.exec(uses)?.[1];
  return manifests.find((manifest) => manifest.name === name);
}

const Named = z.object({ name: z.string() });
const TaskRun = z.object({
  spec: z.object({ taskRef: Named, params: z.array(Named).default([]) }),
});

function namesOf(list: readonly z.infer<typeof Named>[]): string[] {
  return list.map(({ name }) => name);
}

function unknownTo(where: string, given: readonly string[], known: readonly string[]): string[] {
  return given.filter((name) => !known.includes(name)).map((name) => `${where} has no ${name}`);
}
