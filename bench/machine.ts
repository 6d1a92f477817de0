import { execFile } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where it was measured, a line for each thing that matters. */
export async function describeMachine(): Promise<Readonly<Record<string, string>>> {
  const programs: Record<string, readonly string[]> = {
    crane: ['crane', 'version'],
    skopeo: ['skopeo', '--version'],
    registry: ['registry', '--version'],
    'docker-registry': ['docker-registry', '--version'],
    kubectl: ['kubectl', 'version', '--client'],
    Kubernetes: ['kubectl', 'get', '--raw', '/version'],
  };
  const versions = Object.entries(programs).map(async ([name, words]) => [name, await say(words)]);
  return {
    cpu: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    load: `${(loadavg()[0] ?? 0).toFixed(1)} before the first case`,
    kernel: release(),
    node: process.version,
    ...Object.fromEntries(await Promise.all(versions)),
  };
}

async function say([file = '', ...args]: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(file, args, { timeout: 5000 });
    return /v?\d+\.\d+[\w.+-]*/.exec(stdout)?.[0] ?? 'of no known version';
  } catch {
    return 'not there';
  }
}
