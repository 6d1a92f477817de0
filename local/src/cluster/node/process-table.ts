import type { ChildProcess, StdioOptions } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A command line with everything that it is started with. */
export interface Launch {
  readonly argv: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Every process of the cluster, so that none outlives it. */
export class ProcessTable {
  readonly #running = new Set<ChildProcess>();
  #isClosed = false;
  readonly #killAll = (): void => {
    for (const child of this.#running) signalGroup(child, 'SIGKILL');
  };

  constructor() {
    // Before whoever removes the folders that these processes write to.
    process.prependListener('exit', this.#killAll);
  }

  /**
   * Starts a process as the leader of a group of its own; what is left of the group when it ends is
   * killed, as a container's processes are.
   *
   * @param stdio Of the child; its descriptor 3 is the lifeline that {@link Launch.env} may name.
   * @throws what spawn says, such as ENOENT, or an Error once the table is closed.
   */
  async start(launch: Launch, stdio: StdioOptions): Promise<ChildProcess> {
    const [file = '', ...parameters] = launch.argv;
    if (this.#isClosed) throw new Error('Cannot start a process: the cluster is being closed');
    const child = spawn(file, parameters, {
      cwd: launch.cwd,
      env: launch.env,
      stdio,
      detached: true,
    });
    this.#running.add(child);
    child.once('exit', () => {
      signalGroup(child, 'SIGKILL');
      this.#running.delete(child);
    });
    try {
      await once(child, 'spawn');
    } catch (error) {
      this.#running.delete(child);
      throw error;
    }
    // A pipe of a process that was killed may still say EPIPE; nobody waits for it.
    for (const stream of child.stdio) stream?.on('error', () => {});
    return child;
  }

  /** Ends a process and its group: SIGTERM, and SIGKILL if it is still there after the grace period. */
  async end(child: ChildProcess, graceMs: number): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    if (graceMs > 0) signalGroup(child, 'SIGTERM');
    else signalGroup(child, 'SIGKILL');
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
    try {
      await gone;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends every process; none can be started any more. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#running].map((child) => this.end(child, graceMs)));
    process.off('exit', this.#killAll);
  }
}

/** A group that is gone already is what was wanted. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH
  }
}
