import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

import { timestamp } from '../api/store.ts';
import type { LogFile } from './log-file.ts';
import type { Launch, ProcessTable } from './process-table.ts';

/** How a run of a container ended. */
export interface ContainerExit {
  /** 128 and the signal's number for a process that a signal ended. */
  readonly exitCode: number;
  /** `Completed`, `Error` or `StartError`, as in the API. */
  readonly reason: string;
  readonly message?: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** What of the last output may be lost when something the program left behind holds its stdout. */
const drainMs = 500;

/** One run of a container: a process and the log it writes. */
export class ContainerProcess {
  readonly log: LogFile;
  readonly startedAt = timestamp();
  /** Settles when the process is gone and its output is in the log. */
  readonly exit: Promise<ContainerExit>;
  readonly #processes: ProcessTable;
  readonly #child: ChildProcess;
  /** What an exec, a probe or a hook started in here: they end with the container. */
  readonly #guests = new Set<ChildProcess>();
  #isOver = false;

  private constructor(processes: ProcessTable, child: ChildProcess, log: LogFile) {
    this.#processes = processes;
    this.#child = child;
    this.log = log;
    this.exit = this.#run();
  }

  /** Starts a process. @throws what spawn says, such as ENOENT. */
  static async start(
    processes: ProcessTable,
    launch: Launch,
    log: LogFile,
  ): Promise<ContainerProcess> {
    const child = await processes.start(launch, ['ignore', 'pipe', 'pipe', 'pipe']);
    return new ContainerProcess(processes, child, log);
  }

  get id(): string {
    return `process://${this.#child.pid}`;
  }

  /** Ends the process: SIGTERM, then SIGKILL. */
  async end(graceMs: number): Promise<void> {
    await this.#processes.end(this.#child, graceMs);
  }

  /** Starts another process that ends with this one. */
  async startGuest(launch: Launch): Promise<ChildProcess> {
    const guest = await this.#processes.start(launch, ['pipe', 'pipe', 'pipe', 'pipe']);
    if (this.#isOver) await this.#processes.end(guest, 0);
    this.#guests.add(guest);
    guest.once('exit', () => this.#guests.delete(guest));
    return guest;
  }

  async #run(): Promise<ContainerExit> {
    const { stdout, stderr } = this.#child;
    for (const stream of [stdout, stderr]) {
      stream?.on('data', (bytes: Uint8Array) => this.log.append(bytes));
    }
    const closed = Promise.all([ended(stdout), ended(stderr)]);
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await once(this.#child, 'exit');
    }
    this.#isOver = true;
    await Promise.all([...this.#guests].map((guest) => this.#processes.end(guest, 0)));
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, drainMs))]);
    stdout?.destroy();
    stderr?.destroy();
    this.log.end();
    const exitCode = exitCodeOf(this.#child);
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    return { exitCode, reason, startedAt: this.startedAt, finishedAt: timestamp() };
  }
}

/** The exit code of a process that has ended, as a shell says it. */
export function exitCodeOf({ exitCode, signalCode }: ChildProcess): number {
  if (exitCode !== null) return exitCode;
  return 128 + (signalNumbers[signalCode ?? 'SIGKILL'] ?? 9);
}

const signalNumbers: Partial<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

async function ended(stream: Readable | null): Promise<void> {
  if (!stream || stream.readableEnded) return;
  await new Promise<void>((resolve) => {
    stream.once('end', resolve);
    stream.once('close', resolve);
  });
}
