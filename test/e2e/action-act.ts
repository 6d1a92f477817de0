import { execFileSync, spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { beforeAll, describe, expect, it } from 'vitest';

import type { ActionWorld } from '../support/action-world.ts';
import { hasTool, runProgram } from '../support/tools.ts';
import { tokenOf } from './action-secrets.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = ['--platform=ubuntu-latest=-self-hosted', '--secret-file=.secrets'].concat([
  '--no-cache-server',
  '--use-gitignore=false',
]);

interface Job {
  readonly status: number | null;
  readonly log: string;
}

/** What a job does that another runner, nektos/act, runs on this machine, with a checkout as a clone has it. */
export function describeAct(given: () => ActionWorld): void {
  describe.skipIf(!hasTool('act', 'buildah', 'kubectl'))('a job that act runs', () => {
    let work: Workplace;
    beforeAll(async () => {
      work = await workplace(given());
    });

    it('builds with buildah, pushes and deploys by digest, as the README of actions/push says', async () => {
      const { env, path, stored } = given();
      const readme = await readFile(join(root, 'actions/push/README.md'), 'utf8');
      const [, steps = ''] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
      const storage = `--root ${path('storage')} --runroot ${path('run')}`;
      const build = `- run: |
    buildah ${storage} build --quiet --tag app .
    buildah ${storage} push --quiet app docker-archive:app.tar:app:1
`;
      await runProgram(['kubectl', 'create', 'deployment', 'app', '--image=app:0'], { env });
      const job = await work.run(build + steps);
      expect(job).toMatchObject({ status: 0 });
      expectNothingShown(job);
      const jsonPath = 'jsonpath={.spec.template.spec.containers[0].image}';
      const command = ['kubectl', 'get', 'deployment', 'app', '-o', jsonPath];
      const { stdout: image } = await runProgram(command, { env });
      const { digest } = await stored('team/app:latest');
      expect(image.toString()).toMatch(new RegExp(`/team/app@${digest}$`));
    });

    it('fails with one annotation, a summary and the exit status', async () => {
      const job = await work.run(step({ source: 'absent.tar', tags: 'team/act-bad:1' }));
      expect(job.status).toBe(1);
      expect(job.log.match(/::error::.*/g)).toEqual([expect.stringContaining('absent.tar')]);
      expect(job.log).toContain('<h3>Push failed</h3>');
      expectNothingShown(job);
    });

    it('leaves nothing when it is cancelled half-way', async () => {
      const { stalled, tagsOf } = given();
      const inputs = { source: 'hello.txt', tags: 'team/act-cancelled:1', registry: 'stalled' };
      const job = await work.run(step(inputs), (kill) => void stalled.arrival().then(kill));
      expect(job.status).toBe(1);
      expect(job.log).toContain('Success - Post reposure/reposure/actions/push@v1');
      expect(await tagsOf('team/act-cancelled')).toEqual([]);
    });

    function expectNothingShown({ log }: Job): void {
      expect(log).not.toContain(tokenOf(given().kubeconfig));
      expect(log).not.toContain(base64(given().kubeconfig));
    }
  });
}

interface Workplace {
  /** @param onStart Is given what cancels the job, as Ctrl-C does. */
  run(steps: string, onStart?: (cancel: () => void) => void): Promise<Job>;
}

async function workplace({ env, kubeconfig, path }: ActionWorld): Promise<Workplace> {
  const [checkout, folder, home] = [path('checkout'), path('workplace'), path('act-home')];
  // What a clone has of it: no node_modules, so the bundles run as they are.
  for (const name of ['setup', 'push', 'pull']) {
    await cp(join(root, 'actions', name), join(checkout, 'actions', name), { recursive: true });
  }
  await cp(join(root, 'dist'), join(checkout, 'dist'), { recursive: true });
  await mkdir(join(folder, '.github', 'workflows'), { recursive: true });
  await mkdir(home);
  await writeFile(join(folder, 'hello.txt'), 'hello\n');
  await writeFile(join(folder, 'Containerfile'), 'FROM scratch\nCOPY hello.txt /hello.txt\n');
  await writeFile(join(folder, '.secrets'), `KUBECONFIG=${base64(kubeconfig)}\n`, { mode: 0o600 });
  execFileSync('git', ['init', '--quiet', folder]);
  return {
    run: async (steps, onStart) => {
      await writeFile(join(folder, '.github', 'workflows', 'job.yml'), workflowOf(steps));
      const child = spawn(
        'act',
        ['push', ...options, '--local-repository', `reposure/reposure@v1=${checkout}`],
        {
          cwd: folder,
          env: {
            ...env,
            PATH: process.env['PATH'],
            HOME: home,
            STORAGE_DRIVER: 'vfs',
            BUILDAH_ISOLATION: 'chroot',
          },
          stdio: ['ignore', 'pipe', 'pipe'],
          timeout: 25_000,
          killSignal: 'SIGKILL',
        },
      );
      let log = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
      }
      onStart?.(() => child.kill('SIGINT'));
      const status = await new Promise<number | null>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', resolve);
      });
      expect(await foldersOfSteps(home)).toEqual([]);
      return { status, log };
    },
  };
}

/** What steps have left: act's RUNNER_TEMP is below its home. */
async function foldersOfSteps(home: string): Promise<string[]> {
  const entries = await readdir(home, { recursive: true });
  return entries.filter((entry) => /\breposure-[\da-f]{8}-[\da-f-]{27}$/.test(entry));
}

function step(inputs: Record<string, string>): string {
  const all = { kubeconfig: '${{ secrets.KUBECONFIG }}', ...inputs };
  const lines = Object.entries(all).map(([name, value]) => `    ${name}: ${value}\n`);
  return `- uses: reposure/reposure/actions/push@v1\n  with:\n${lines.join('')}`;
}

function workflowOf(steps: string): string {
  return `on: push
jobs:
  deliver:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
${steps.replaceAll(/^(?=.)/gm, '      ')}`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
