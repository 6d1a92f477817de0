import { parseDurationMs } from '@reposure/core';
import { addUser, listUsers, removeUser, rotateLogin, setPassword } from '@reposure/core/install';
import { Command } from 'commander';

import { withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { print, table } from '../output.ts';
import { passwordOf } from './password.ts';
import type { GivenPassword, PasswordFlags } from './password.ts';

/** `simple user add|remove|list|rotate` */
export function userCommand(): Command {
  const user = new Command('user').description('whom the simple registry lets in');
  withPasswordOptions(user.command('add').argument('<name>', 'of the user'))
    .description('let somebody in; without a restart')
    .addHelpText('after', addHelp)
    .action(addAction);
  user
    .command('remove')
    .alias('rm')
    .argument('<name>', 'of the user')
    .description('let somebody in no more')
    .addHelpText('after', '\nExamples:\n  reposure simple user remove alice\n')
    .action(removeAction);
  user
    .command('list')
    .alias('ls')
    .description('list the users')
    .addHelpText('after', '\nExamples:\n  reposure simple user list -o json\n')
    .action(listAction);
  withPasswordOptions(user.command('rotate').argument('[name]', 'of the user'))
    .description('give somebody another password; without a name, give surrogates another login')
    .option('--settle <duration>', 'how long everybody is given to learn of the new login', '2m')
    .addHelpText('after', rotateHelp)
    .action(rotateAction);
  return user;
}

const addHelp = `
Without an option, a password is made and printed once. Pods read it within two minutes, in most
clusters at once.

Examples:
  reposure simple user add alice
  pass show registry/alice | reposure simple user add alice --password-stdin
`;

const rotateHelp = `
Without a name: the registry gets another user for surrogates, then they get its login, then the
former user is removed; no push fails. The command waits twice for --settle. Clients that use the
Secret reposure-simple-login themselves have to read it again in that time.

Examples:
  reposure simple user rotate
  reposure simple user rotate alice --password-file new-password
`;

function withPasswordOptions(command: Command): Command {
  return command
    .option('--password-stdin', 'read the password from standard input')
    .option('--password-file <file>', 'read the password from a file');
}

type Flags = GlobalOptions & PasswordFlags & { readonly settle: string };

async function addAction(username: string, _: unknown, command: Command): Promise<void> {
  await putUser('added', username, { command, write: addUser });
}

async function putUser(
  outcome: string,
  username: string,
  { command, write }: { readonly command: Command; readonly write: typeof addUser },
): Promise<void> {
  const flags = command.optsWithGlobals<Flags>();
  const given = await passwordOf(flags);
  await withCluster(flags, async ({ cluster, namespace, format, log }) => {
    await write(cluster, { username, password: given.password }, { namespace, log });
    await print(format, {
      value: { name: username, ...(given.isMade ? { password: given.password } : {}) },
      names: [username],
      text: describe(outcome, username, given),
    });
  });
}

function describe(outcome: string, username: string, { password, isMade }: GivenPassword): string {
  const lines = [`User ${username} ${outcome}`];
  return [...lines, ...(isMade ? [`Password, shown this once: ${password}`] : [])].join('\n');
}

async function removeAction(username: string, _: unknown, command: Command): Promise<void> {
  await withCluster(command.optsWithGlobals(), async ({ cluster, namespace, format, log }) => {
    await removeUser(cluster, username, { namespace, log });
    await print(format, {
      value: { name: username, state: 'removed' },
      names: [username],
      text: `User ${username} removed`,
    });
  });
}

async function listAction(_: unknown, command: Command): Promise<void> {
  await withCluster(command.optsWithGlobals(), async ({ cluster, namespace, format }) => {
    const users = await listUsers(cluster, namespace);
    await print(format, {
      value: users,
      names: users.map(({ name }) => name),
      text: table(
        ['NAME', 'USED BY'],
        users.map(({ name, isOwn }) => [name, isOwn ? 'surrogates' : '']),
      ),
    });
  });
}

async function rotateAction(name: string | undefined, _: unknown, command: Command): Promise<void> {
  if (name !== undefined) {
    return putUser('has another password', name, { command, write: setPassword });
  }
  const flags = command.optsWithGlobals<Flags>();
  const settleMs = parseDurationMs(flags.settle);
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    const username = await rotateLogin(cluster, { namespace, settleMs, log, signal });
    await print(format, {
      value: { name: username },
      names: [username],
      text: `Surrogates log in as ${username}; their former login counts no more`,
    });
  });
}
