import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

interface Declared {
  readonly inputs: Record<string, { readonly default?: string }>;
  readonly runs: { readonly main: string; readonly post?: string };
}

/** What a step did, as the runner sees it. */
export interface StepRun {
  readonly status: number | null;
  /** What the runner reads commands from, and shows. */
  readonly log: string;
  readonly outputs: Record<string, string>;
  readonly summary: string;
  /** Variables that it set for the steps behind it. */
  readonly variables: Record<string, string>;
  /** Folders that it put on their PATH. */
  readonly paths: readonly string[];
  /** What it left under RUNNER_TEMP. */
  readonly left: readonly string[];
}

/** How {@link startRunner} runs a step. */
export interface StepOptions {
  readonly inputs: Record<string, string>;
  readonly env?: Record<string, string>;
  /** The runner of a GitHub Enterprise Server, or of Gitea, may have none. */
  readonly hasSummary?: boolean;
  /** Called once the step runs; what it sends, ends the step. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
}

/** A runner's folders, and steps that run in them. */
export interface Runner {
  run(options: StepOptions): Promise<StepRun>;
  /** What steps have left under RUNNER_TEMP and at home. */
  left(): Promise<readonly string[]>;
  /** Runs the step's `post`, with the state that its last `main` saved, save for what `env` says. */
  runPost(env?: Record<string, string>): Promise<StepRun>;
  close(): Promise<void>;
}

/** The runner's command files, but for the job's own. */
const files = ['env', 'output', 'path', 'state', 'summary'];

/** Longer than any step here takes: one that does not end by itself fails its test. */
const longestMs = 60_000;

/**
 * Runs the bundle of an action as GitHub's runner does: with every declared input in the
 * environment, in an empty folder, and with nothing else of this machine.
 *
 * @param manifest Of the action: its `action.yml`.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax
 */
export async function startRunner(manifest: URL): Promise<Runner> {
  const declared = parse(await readFile(manifest, 'utf8')) as Declared;
  const folder = await mkdtemp(join(tmpdir(), 'runner-'));
  const path = (name: string): string => join(folder, name);
  const program = (name: string): string => join(dirname(fileURLToPath(manifest)), name);
  for (const name of ['temp', 'home', 'workspace']) await mkdir(path(name));

  const left = async (): Promise<string[]> => [
    ...(await readdir(path('temp'))),
    ...(await readdir(path('home'))),
  ];
  const finished = async (script: string, { env = {}, onStart }: Omit<StepOptions, 'inputs'>) => {
    for (const name of files) await writeFile(path(name), '');
    const child = spawn(process.execPath, [program(script)], {
      cwd: path('workspace'),
      env: {
        PATH: process.env['PATH'],
        HOME: path('home'),
        TMPDIR: path('home'),
        RUNNER_TEMP: path('temp'),
        GITHUB_ACTIONS: 'true',
        GITHUB_ENV: path('env'),
        GITHUB_OUTPUT: path('output'),
        GITHUB_PATH: path('path'),
        GITHUB_STATE: path('state'),
        GITHUB_WORKSPACE: path('workspace'),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: longestMs,
      killSignal: 'SIGKILL',
    });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
    }
    onStart?.((signal) => child.kill(signal));
    const status = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    return {
      status,
      log,
      outputs: valuesOf(await readFile(path('output'), 'utf8')),
      summary: await readFile(path('summary'), 'utf8'),
      variables: valuesOf(await readFile(path('env'), 'utf8')),
      paths: (await readFile(path('path'), 'utf8')).split('\n').filter(Boolean),
      left: await left(),
    };
  };

  let state: Record<string, string> = {};
  return {
    run: async ({ inputs, hasSummary = true, ...options }) => {
      const defaults = Object.entries(declared.inputs).map(([name, input]) => [
        name,
        input.default ?? '',
      ]);
      // Those that the action does not know, too: the runner warns, and hands them over.
      const all = { ...(Object.fromEntries(defaults) as Record<string, string>), ...inputs };
      const env = {
        ...Object.fromEntries(
          Object.entries(all).map(([name, value]) => [
            `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
            value,
          ]),
        ),
        ...(hasSummary ? { GITHUB_STEP_SUMMARY: path('summary') } : {}),
        ...options.env,
      };
      const run = await finished(declared.runs.main, { ...options, env });
      state = valuesOf(await readFile(path('state'), 'utf8'));
      return run;
    },
    left,
    runPost: async (env = {}) => {
      const saved = Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]);
      return await finished(declared.runs.post ?? '', {
        env: { ...(Object.fromEntries(saved) as Record<string, string>), ...env },
      });
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The runner's file format: `name<<delimiter`, lines, `delimiter`. */
function valuesOf(text: string): Record<string, string> {
  const found = text.matchAll(/^([^<\n]+)<<(\S+)\n([\s\S]*?)\n?\2$/gm);
  return Object.fromEntries([...found].map(([, name = '', , value = '']) => [name, value]));
}
