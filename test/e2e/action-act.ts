import { execFileSync, spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ActionWorld } from '../support/action-world.ts';
import { hasDockerDaemon, startDockerDaemon } from '../support/docker-daemon.ts';
import type { DockerDaemon } from '../support/docker-daemon.ts';
import { hasTool, runProgram } from '../support/tools.ts';
import { tokenOf } from './action-secrets.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = ['--platform=ubuntu-latest=-self-hosted', '--secret-file=.secrets'].concat([
  '--no-cache-server',
  '--use-gitignore=false',
]);
/** A workflow that runs docker. */
const withDocker = 'actions/setup/README.md, 2';
/** Of a whole job, also where many tests run beside it. */
const longestMs = 90_000;

interface Job {
  readonly status: number | null;
  readonly log: string;
}

/** What a job does that another runner, nektos/act, runs on this machine, with a checkout as a clone has it. */
export function describeAct(given: () => ActionWorld): void {
  describe.skipIf(!hasTool('act', 'buildah', 'kubectl'))('a job that act runs', () => {
    let work: Workplace;
    let docker: DockerDaemon | undefined;
    beforeAll(async () => {
      docker = hasDockerDaemon ? await startDockerDaemon() : undefined;
      work = await workplace(given(), docker?.env['DOCKER_HOST']);
    }, longestMs);
    afterAll(() => docker?.close());

    /** What each workflow of a README does, by its place there. */
    const workflows: Record<string, (steps: string) => Promise<void>> = {
      'README.md, 1': async (steps) => {
        const { digest } = await deployed(`${build(given())}${steps}`, 'team/app:latest');
        expect(await given().answer()).toBe(digest);
      },
      'actions/setup/README.md, 1': async (steps) => {
        const { log } = await succeeds(steps);
        expect(log).toContain('made/site:1');
      },
      [withDocker]: async (steps) => {
        await succeeds(steps);
        expect(await given().tagsOf('team/app')).toContain('1');
      },
      'actions/push/README.md, 1': async (steps) => {
        const { env, imageOf } = given();
        const create = ['kubectl', 'create', 'deployment', 'app', '--image=app:0'];
        await runProgram(create, { env });
        const { digest } = await deployed(`${build(given())}${steps}`, 'team/app:latest');
        expect(await imageOf('app')).toMatch(new RegExp(`/team/app@${digest}$`));
      },
      'actions/pull/README.md, 1': async (steps) => {
        await given().cli('image', 'copy', 'default', 'made/site:1', 'team/site:7');
        const { log } = await succeeds(`${steps}- run: cat public/page.html\n`);
        expect(log).toContain('<p>hello</p>');
      },
      'actions/deploy/README.md, 1': async (steps) => {
        const { digest } = await deployed(steps, 'team/app:1.2.3');
        expect(await given().answer()).toBe(digest);
      },
    };

    for (const [place, run] of Object.entries(workflows)) {
      it.skipIf(place === withDocker && !hasDockerDaemon)(
        `does what its steps in ${place} say, as they stand there`,
        async () => {
          const steps = (await workflowsOfReadmes()).get(place) ?? '';
          expect(steps).toContain('uses:');
          await run(steps);
        },
        longestMs,
      );
    }

    it.skipIf(!hasDockerDaemon)(
      'gives an image to docker, and takes it from there',
      async () => {
        const pull = step('pull', { image: 'made/site:1', to: 'docker-daemon:site:1' });
        const push = step('push', { source: 'docker-daemon:site:1', tags: 'team/docker:1' });
        const { digest } = await deployed(`${pull}${push}`, 'team/docker:1');
        expect(digest).toMatch(/^sha256:/);
      },
      longestMs,
    );

    it('is there for every workflow of every README', async () => {
      const places = [...(await workflowsOfReadmes()).keys()];
      expect(places.toSorted()).toEqual(Object.keys(workflows).toSorted());
    });

    it(
      'fails with one annotation, a summary and the exit status',
      async () => {
        const job = await work.run(step('push', { source: 'absent.tar', tags: 'team/act-bad:1' }));
        expect(job.status).toBe(1);
        expect(job.log.match(/::error::.*/g)).toEqual([expect.stringContaining('absent.tar')]);
        expect(job.log).toContain('<h3>Push failed</h3>');
        expectNothingShown(job);
      },
      longestMs,
    );

    it(
      'leaves nothing when it is cancelled half-way',
      async () => {
        const { stalled, tagsOf } = given();
        const inputs = { source: 'hello.txt', tags: 'team/act-cancelled:1', registry: 'stalled' };
        const job = await work.run(
          step('push', inputs),
          (kill) => void stalled.arrival().then(kill),
        );
        expect(job.status).toBe(1);
        expect(job.log).toContain('Success - Post reposure/reposure/actions/push@v1');
        expect(await tagsOf('team/act-cancelled')).toEqual([]);
      },
      longestMs,
    );

    async function succeeds(steps: string): Promise<Job> {
      const job = await work.run(steps);
      expect(job.log).toContain('Job succeeded');
      expect(job.status).toBe(0);
      expectNothingShown(job);
      return job;
    }

    /** @returns What the registry then has under the name. */
    async function deployed(steps: string, name: string): Promise<{ digest: string }> {
      await succeeds(steps);
      return given().stored(name);
    }

    function expectNothingShown({ log }: Job): void {
      expect(log).not.toContain(tokenOf(given().kubeconfig));
      expect(log).not.toContain(base64(given().kubeconfig));
    }
  });
}

/** By the README's path and the number of the workflow in it. */
async function workflowsOfReadmes(): Promise<Map<string, string>> {
  const actions = await readdir(join(root, 'actions'));
  const readmes = ['README.md', ...actions.map((name) => `actions/${name}/README.md`)];
  const found = new Map<string, string>();
  for (const readme of readmes) {
    const text = await readFile(join(root, readme), 'utf8').catch(() => '');
    const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
    const steps = blocks.filter((block) => block.includes('uses: reposure/reposure/'));
    for (const [index, block] of steps.entries()) found.set(`${readme}, ${index + 1}`, block);
  }
  return found;
}

/** Another image each time: buildah writes into it when it was made. */
function build({ path }: ActionWorld): string {
  const storage = `--root ${path('storage')} --runroot ${path('run')}`;
  return `- run: |
    rm app.tar
    buildah ${storage} build --quiet --tag app .
    buildah ${storage} push --quiet app docker-archive:app.tar:app:1
`;
}

interface Workplace {
  /** @param onStart Is given what cancels the job, as Ctrl-C does. */
  run(steps: string, onStart?: (cancel: () => void) => void): Promise<Job>;
}

async function workplace(
  { checkout, env, kubeconfig, path }: ActionWorld,
  dockerHost = 'unix:///nowhere',
): Promise<Workplace> {
  const [folder, home] = [path('workplace'), path('act-home')];
  await mkdir(join(folder, '.github', 'workflows'), { recursive: true });
  await mkdir(home);
  await cp(path('k8s'), join(folder, 'k8s'), { recursive: true });
  await cp(path('app.tar'), join(folder, 'app.tar'));
  await writeFile(join(folder, 'hello.txt'), 'hello\n');
  await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY hello.txt /hello.txt\n');
  await writeFile(join(folder, '.secrets'), `KUBECONFIG=${base64(kubeconfig)}\n`, { mode: 0o600 });
  execFileSync('git', ['init', '--quiet', folder]);
  const command = ['push', ...options, '--local-repository', `reposure/reposure@v1=${checkout}`];
  return {
    run: async (steps, onStart) => {
      await writeFile(join(folder, '.github', 'workflows', 'job.yml'), workflowOf(steps));
      const child = spawn('act', command, {
        cwd: folder,
        env: {
          ...env,
          PATH: process.env['PATH'],
          HOME: home,
          DOCKER_HOST: dockerHost,
          STORAGE_DRIVER: 'vfs',
          BUILDAH_ISOLATION: 'chroot',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: longestMs,
        killSignal: 'SIGKILL',
      });
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

function step(action: string, inputs: Record<string, string>): string {
  const all = { kubeconfig: '${{ secrets.KUBECONFIG }}', ...inputs };
  const lines = Object.entries(all).map(([name, value]) => `    ${name}: ${value}\n`);
  return `- uses: reposure/reposure/actions/${action}@v1\n  with:\n${lines.join('')}`;
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
