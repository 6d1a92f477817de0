import { execFileSync, spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { sampleApp } from './sample-app.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The workflows that people copy. */
const workflows = join(root, 'examples', 'pipelines', 'github');

const options = [
  '--platform=ubuntu-latest=-self-hosted',
  // There is no other machine; what runs on it is built for its platform, and not run.
  '--platform=ubuntu-24.04-arm=-self-hosted',
  '--secret-file=.secrets',
  // They share what buildah keeps; for those of a matrix see below.
  '--concurrent-jobs=1',
  '--no-cache-server',
  '--use-gitignore=false',
];

/** What GitHub calls it. */
export const repositoryName = 'somebody/hello';

/** What happened, as a workflow sees it. */
interface WorkflowEvent {
  readonly name: 'push' | 'pull_request';
  readonly payload?: object;
  /** What repository variables there are. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Does without what cannot be had here. */
  readonly edit?: (workflow: string) => string;
  /** Stands for what was left out; given the commit. */
  readonly prepare?: (version: string) => Promise<void>;
}

/** A repository with the sample application, whose workflows nektos/act runs on this machine. */
export interface WorkflowRepository {
  readonly directory: string;
  /** Commits, and runs a workflow to its end. @returns the commit, which is the version. */
  run(workflow: string, event?: WorkflowEvent): Promise<string>;
}

/** Makes it, with a checkout of Reposure as a clone has it: the bundles run as they are. */
export async function startWorkflowRepository(
  folder: string,
  kubeconfig: string,
  env: Readonly<Record<string, string>>,
): Promise<WorkflowRepository> {
  const [checkout, directory, home] = ['checkout', 'repository', 'home'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  for (const name of await readdir(join(root, 'actions'))) {
    if (name.includes('.')) continue;
    await cp(join(root, 'actions', name), join(checkout, 'actions', name), { recursive: true });
  }
  await cp(join(root, 'dist'), join(checkout, 'dist'), { recursive: true });
  await cp(sampleApp, directory, { recursive: true });
  await mkdir(home);
  const storage = join(folder, 'storage.conf');
  const [graph, temporary] = [join(folder, 'containers'), join(folder, 'run')];
  await writeFile(
    storage,
    `[storage]\ndriver = "vfs"\ngraphroot = "${graph}"\nrunroot = "${temporary}"\n`,
  );
  const secret = Buffer.from(kubeconfig).toString('base64');
  await writeFile(join(directory, '.secrets'), `KUBECONFIG=${secret}\n`, { mode: 0o600 });
  await writeFile(join(directory, '.gitignore'), '.secrets\nevent.json\n*.tar\n');
  const git = (...words: string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], {
      cwd: directory,
      encoding: 'utf8',
    }).trim();
  git('init', '--quiet', '--initial-branch=main');
  git('remote', 'add', 'origin', `https://github.com/${repositoryName}.git`);
  return {
    directory,
    run: async (workflow, event = { name: 'push' }) => {
      const { name, payload = {}, variables = {}, edit, prepare } = event;
      const text = await readFile(join(workflows, workflow), 'utf8');
      const path = join(directory, '.github', 'workflows');
      await mkdir(path, { recursive: true });
      await writeFile(join(path, workflow), oneAtATime(edit?.(text) ?? text));
      await writeFile(join(directory, 'event.json'), JSON.stringify(payload));
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', `--message=${workflow}`);
      const version = git('rev-parse', 'HEAD');
      await prepare?.(version);
      const given = Object.entries(variables).map(([key, value]) => `--var=${key}=${value}`);
      const here = [`--workflows=.github/workflows/${workflow}`, '--eventpath=event.json'];
      const action = `--local-repository=reposure/reposure@v1=${checkout}`;
      const run = { directory, env: { ...env, CONTAINERS_STORAGE_CONF: storage, HOME: home } };
      const { status, log } = await act([name, ...options, ...here, ...given, action], run);
      if (status !== 0) throw new Error(`${workflow} ended with ${status}: ${log}`);
      return version;
    },
  };
}

async function act(
  words: readonly string[],
  { directory, env }: { readonly directory: string; readonly env: Record<string, string> },
): Promise<{ status: number | null; log: string }> {
  const child = spawn('act', words, {
    cwd: directory,
    // No kubeconfig but the secret.
    env: {
      PATH: process.env['PATH'],
      BUILDAH_ISOLATION: 'chroot',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 240_000,
    killSignal: 'SIGKILL',
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { status, log };
}

/** The jobs of a matrix have a machine each, but here they share what buildah keeps: two that pull at once lose an image. */
function oneAtATime(workflow: string): string {
  return workflow.replace(/^( *)strategy:\n/m, '$&$1  max-parallel: 1\n');
}
