import { execFile, execFileSync, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether a program is on the PATH; a test that needs one that is missing says so and is skipped. */
export function hasTool(...names: readonly string[]): boolean {
  return names.every((name) => {
    try {
      execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/** What a program did. */
export interface Finished {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** How a program is run. */
export interface RunOptions {
  /** Beside this process's own. */
  readonly env?: Record<string, string>;
  readonly input?: Buffer;
  readonly cwd?: string;
}

/** Runs a program to its end. @param options.input goes to its standard input, which then ends. */
export async function runProgram(
  command: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
    stdio: 'pipe',
  });
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => {}); // it may end before it has read everything
  child.stdin.end(options.input);
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
  });
  return { status, stdout: Buffer.concat(stdout), stderr };
}

/** Runs a program that must succeed. @returns its standard output. */
export async function tool(file: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(file, [...args], {
    maxBuffer: 64 * 1024 * 1024,
    env: {
      ...process.env,
      STORAGE_DRIVER: 'vfs',
      BUILDAH_ISOLATION: 'chroot',
    },
  });
  return stdout;
}
