import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';

import { reposureHere } from '../../test/support/cli-here.ts';
import { reposure } from '../../test/support/cli.ts';
import { candidatesFor } from './commands/completion.ts';
import { program } from './main.ts';

describe('reposure', () => {
  it.each([
    ['an unknown command', ['nonsense'], /unknown command/],
    ['a missing argument', ['image', 'push', 'default'], /missing required argument/],
    ['an unknown option', ['image', 'list', 'default', '--nonsense'], /unknown option/],
    [
      'a route that there is none of',
      ['image', 'list', 'default', '--route', 'pigeon'],
      /Allowed choices/,
    ],
    [
      'a name that no registry accepts',
      ['image', 'push', 'default', 'UPPER/Case', 'x'],
      /lower-case/,
    ],
    ['replicas that are no number', ['operator', 'install', '--replicas', 'many'], /whole number/],
    ['another output format', ['version', '-o', 'xml'], /want json, yaml or name/],
    [
      'a duration that is none',
      ['operator', 'install', '--timeout', 'soon'],
      /Cannot parse duration/,
    ],
  ])('ends with 2 and says why: %s', async (_, words, message) => {
    const { status, stderr, stdout } = await reposureHere(words);
    expect(stderr).toMatch(message);
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 2, stdout: '' });
  });

  it('ends with 2 as a process, too', async () => {
    expect(await reposure(['nonsense'])).toMatchObject({
      status: 2,
      stdout: Buffer.from(''),
      stderr: expect.stringContaining('unknown command'),
    });
  });

  it('ends with 1 and names the file where there is no kubeconfig', async () => {
    const { status, stderr } = await reposure(['image', 'list', 'default'], {
      env: { KUBECONFIG: '/nonexistent/kubeconfig' },
    });
    expect(stderr).toContain('/nonexistent/kubeconfig');
    expect(status).toBe(1);
  });

  it('prints its version for a program', async () => {
    const { status, stdout } = await reposure(['version', '-o', 'json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout.toString())).toHaveProperty('version');
  });

  it('shows examples in the help of every command', async () => {
    expect(
      leavesOf(await program())
        .filter((command) => !helpOf(command).includes('Examples:'))
        .map(pathOf),
    ).toEqual([]);
  });

  it('shows the global options in the help of every command', async () => {
    expect(
      leavesOf(await program())
        .filter((command) => !helpOf(command).includes('--kubeconfig'))
        .map(pathOf),
    ).toEqual([]);
  });
});

function leavesOf(command: Command): Command[] {
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .filter((sub) => sub.name() !== 'help');
  return visible.length === 0 ? [command] : visible.flatMap(leavesOf);
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

describe('candidatesFor()', () => {
  it.each([
    [['im'], ['image']],
    [
      ['image', 'pu'],
      ['push', 'pull'],
    ],
    [['image', 'push', '--dry'], ['--dry-run']],
    [['registry', 'list', '--all'], ['--all-namespaces']],
  ])('offers what may follow %j', async (words, expected) => {
    expect(candidatesFor(await program(), words)).toEqual(expected);
  });
});
