import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { root } from '../../docs/make/documents.ts';
import { blocksOf, sectionOf } from '../../docs/make/markdown.ts';
import { results } from '../../docs/make/results.ts';
import { reposure, reposureOk } from '../support/cli.ts';
import { runProgram } from '../support/tools.ts';
import type { Finished } from '../support/tools.ts';

const readme = await readFile(join(root, 'README.md'), 'utf8');
const troubleshooting = await readFile(join(root, 'docs/troubleshooting.md'), 'utf8');

/** Everything that the README puts into /tmp lies here. */
let folder: string;
let cluster: ChildProcess;
let env: Record<string, string>;
let start: Finished;

const here = (script: string): string => script.replaceAll('/tmp/', `${folder}/`);
const blocksIn = (section: string, language: string): string[] =>
  blocksOf(sectionOf(readme, section))
    .filter((block) => block.language === language)
    .map(({ text }) => text);
const [path = ''] = blocksIn('Start in five minutes', 'sh');
const [firstTerminal = '', secondTerminal = ''] = blocksIn('Without a cluster', 'sh');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'readme-'));
  env = { KUBECONFIG: join(folder, 'kubeconfig'), XDG_STATE_HOME: join(folder, 'state') };
  cluster = spawn('bash', ['-ec', path + here(firstTerminal)], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    // A group of its own, as that of a terminal, which gets the Ctrl-C.
    detached: true,
  });
  // It says where it is; the kubeconfig is there by then.
  if (cluster.stderr) await once(cluster.stderr, 'data');
  const script = path + here(secondTerminal);
  start = await runProgram(['bash', '-euo', 'pipefail', '-c', script], { cwd: root, env });
  await mkdir(join(folder, 'none'));
  const whole = await readFile(join(folder, 'hello.tar'));
  await writeFile(join(folder, 'cut.tar'), whole.subarray(0, 1_000_000));
}, 120_000);

afterAll(async () => {
  const ended = once(cluster, 'close');
  if (cluster.pid !== undefined) process.kill(-cluster.pid, 'SIGINT');
  await ended;
  await rm(folder, { recursive: true, force: true });
});

describe('the first start of README.md, word by word', () => {
  it('pushes, lists, promotes, pulls, and says what a deployment would change', async () => {
    expect(start).toMatchObject({ status: 0 });
    const pushed = JSON.parse(await readFile(join(folder, 'pushed.json'), 'utf8')) as Pushed;
    const index = await readFile(join(folder, 'hello/index.json'), 'utf8');
    expect(index).toContain(pushed.digest);
    const printed = start.stdout.toString();
    expect(printed).toMatch(new RegExp(`image: localhost:\\d+/team/hello@${pushed.digest}`));
    expect(printed).toContain('Dry run: nothing was changed');
  });

  it('goes by the route that the README says', () => {
    expect(blocksIn('Which route am I on?', 'text')).toHaveLength(1);
    const [line = ''] = blocksIn('Which route am I on?', 'text');
    expect(start.stderr).toContain(here(line).trim().replace('Pushing ', `Pushing ${folder}/`));
  });

  it('goes on with the library', async () => {
    const [program = ''] = blocksIn('As a library', 'js');
    const { status, stdout, stderr } = await runProgram(
      [process.execPath, '--input-type=module', '-'],
      { cwd: root, env, input: Buffer.from(program) },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.toString()).toMatch(/^team\/files:1 is sha256:[0-9a-f]{64}\n$/);
  });
});

interface Pushed {
  readonly digest: string;
}

// At the same time: each is a process that starts for longer than it works.
describe.concurrent('docs/reference/results.md', { timeout: 60_000 }, () => {
  it.each([
    'version',
    'operator install',
    'simple status',
    'registry create default --provider=simple',
    'registry role default',
    'registry rotate-keys default',
    'image list default',
  ])('has the fields of %s', async (line) => {
    const result = results.find(({ command }) => line.startsWith(command));
    const words = [...line.split(' '), '-o', 'json'];
    const printed: unknown = JSON.parse((await reposureOk(words, { env, cwd: root })).toString());
    const values = Array.isArray(printed) ? (printed as object[]) : [printed as object];
    expect(Array.isArray(printed)).toBe(result?.isList ?? false);
    const fields = Object.entries(result?.fields ?? {});
    const all = fields.map(([name]) => name);
    const certain = fields.flatMap(([name, isCertain]) => (isCertain ? [name] : []));
    for (const value of values) {
      expect(all).toEqual(expect.arrayContaining(Object.keys(value)));
      expect(Object.keys(value)).toEqual(expect.arrayContaining(certain));
    }
  });
});

describe.concurrent('docs/troubleshooting.md', { timeout: 60_000 }, () => {
  it.each([
    ['NOT_FOUND', 'image list nothere'],
    ['NOT_FOUND', 'deploy -f examples/app/k8s -n shop'],
    ['REGISTRY_RESPONSE', 'image pull default team/app:1 --to oci:FOLDER/pulled'],
    ['CONTENT_INVALID', 'image push default team/app FOLDER/cut.tar'],
    [
      'CONTENT_MISMATCH',
      `image copy default team/hello:prod a --expect-digest sha256:${'0'.repeat(64)}`,
    ],
    ['CONTENT_MISMATCH', 'image push default team/hello:prod FOLDER/none --overwrite=never'],
    ['INPUT_INVALID', 'registry create both --host a --service b'],
    ['INPUT_INVALID', 'image push default a oci:FOLDER/none'],
    [
      'INPUT_INVALID',
      'deploy -f examples/app/k8s --image nope=a.example/y@sha256:'.concat('0'.repeat(64)),
    ],
    ['KUBECONFIG_INVALID', 'image list default --context prod'],
    ['TIMEOUT', 'image push default team/app:1 FOLDER/hello.tar --timeout 1ms'],
    ['UNREACHABLE', 'image list default --route direct'],
  ])('has what is said under %s to: reposure %s', async (code, line) => {
    const words = line.replaceAll('FOLDER', folder).split(' ');
    const { status, stderr } = await reposure(words, { env, cwd: root });
    expect(status).toBeGreaterThan(0);
    const said = stderr.trim().split('\n').at(-1)?.replace('Error: ', '') ?? '';
    const quoted = blocksOf(sectionOf(troubleshooting, code)).flatMap(({ text }) =>
      text.split('\n'),
    );
    expect(quoted.filter(Boolean).filter((quote) => isOf(quote, said))).toHaveLength(1);
  });
});

/** Whether a quotation, in which `…` leaves something out and names are others, is of a message. */
function isOf(quote: string, said: string): boolean {
  const words = (text: string): string =>
    text
      .replaceAll(folder, '')
      .replaceAll(/sha256:(?:[0-9a-f]{64}|…)/g, 'DIGEST')
      .replaceAll(/\d+/g, 'N')
      .replaceAll(/"[^"]*"|\S*[/:.]\S*/g, (name) => (name === '…' ? name : 'NAME'));
  const pattern = words(quote)
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('.*');
  return new RegExp(`^${pattern}`).test(words(said));
}
