import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { describe, it } from 'vitest';

import { reposureOk } from '../support/cli.ts';
import { hasTool, tool } from '../support/tools.ts';

const script = fileURLToPath(new URL('../../cli/bin/reposure.js', import.meta.url));

// At the same time: each has a folder of its own.
describe.concurrent('reposure try', { timeout: 60_000 }, () => {
  it('does the whole job, and leaves no file and no process', async ({ expect }) => {
    await using trial = await start();
    const { child, folder } = trial;
    const [output, errors, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    expect({ status, errors }).toEqual({ status: 0, errors: '' });
    const lines = output.split('\n').map((line) => /^ +(sha256:[0-9a-f]{64})  (.+)$/.exec(line));
    const digests = lines.flatMap((match) => (match ? [{ digest: match[1], of: match[2] }] : []));
    expect(digests.map(({ of }) => of)).toEqual(['sent', 'pulled', 'in the registry']);
    expect(new Set(digests.map(({ digest }) => digest)).size).toBe(1);
    expect(output).toContain(`team/app:1.2.3  ${digests[0]?.digest}`);
    expect(output).toMatch(/All of it worked/);
    expect(await remainsOf(folder)).toEqual({ files: [], processes: [] });
  });

  it('with --keep leaves a cluster to use, until SIGINT takes it all back', async ({ expect }) => {
    await using trial = await start('--keep');
    const { child, folder } = trial;
    const errors = text(child.stderr);
    const kubeconfig = await kubeconfigIn(child.stdout);
    expect(kubeconfig.startsWith(folder)).toBe(true);
    expect((await stat(kubeconfig)).mode & 0o777).toBe(0o600);
    const env = { KUBECONFIG: kubeconfig };
    const list = await reposureOk(['image', 'list', 'default', '-o', 'name'], { env });
    expect(list.toString()).toBe('team/app:1.2.3\n');
    if (hasTool('kubectl')) {
      const pods = await tool('kubectl', `--kubeconfig=${kubeconfig}`, 'get', 'registries,pods');
      expect(pods).toMatch(/registry\S+\/default +simple .*True[^]*reposure-operator-\S+ +1\/1/);
    }
    const { processes } = await remainsOf(folder);
    if (process.platform === 'linux') expect(processes.length).toBeGreaterThanOrEqual(3);

    child.kill('SIGINT');
    const [status] = (await once(child, 'close')) as [number | null];
    expect({ status, errors: await errors }).toEqual({ status: 0, errors: '' });
    expect(await remainsOf(folder)).toEqual({ files: [], processes: [] });
  });
});

/** Reads on until the line that a person would paste into a shell. */
async function kubeconfigIn(output: Readable): Promise<string> {
  let read = '';
  return new Promise((resolve, reject) => {
    output.on('data', (chunk: Buffer) => {
      read += chunk.toString();
      const file = /export KUBECONFIG=(\S+)\n[^]*image push/.exec(read)?.[1];
      if (file) resolve(file);
    });
    output.on('end', () => reject(new Error(`it ended without a kubeconfig: ${read}`)));
  });
}

interface Trial extends AsyncDisposable {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** Everything that it makes lies here, and every process of it works here. */
  readonly folder: string;
}

async function start(...flags: string[]): Promise<Trial> {
  const folder = await mkdtemp(join(tmpdir(), 'trial-'));
  const child = spawn(process.execPath, [script, 'try', ...flags], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return {
    child,
    folder,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL'); // where a test has failed half-way
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Remains {
  readonly files: readonly string[];
  readonly processes: readonly string[];
}

/** What there is of a trial: its files, and the processes (on Linux) that work in its folder. */
async function remainsOf(folder: string): Promise<Remains> {
  const all = process.platform === 'linux' ? await readdir('/proc') : [];
  const places = await Promise.all(
    all
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readlink(join('/proc', pid, 'cwd')).catch(() => '')),
  );
  return {
    files: await readdir(folder),
    processes: places.filter((place) => place.startsWith(folder)),
  };
}
