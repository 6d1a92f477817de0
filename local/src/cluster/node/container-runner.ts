import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { explain } from '@reposure/core';

import { timestamp } from '../api/store.ts';
import { BackOff } from './back-off.ts';
import { ContainerProbes } from './container-probes.ts';
import { ContainerProcess } from './container-process.ts';
import type { ContainerExit } from './container-process.ts';
import type { Happening } from './event-recorder.ts';
import { launchOf } from './launcher.ts';
import type { PodSurroundings } from './launcher.ts';
import { LogFile } from './log-file.ts';
import type { Container, ContainerState, ContainerStatus } from './objects.ts';
import type { PodVolumes } from './pod-volumes.ts';
import type { Launch, ProcessTable } from './process-table.ts';
import { programOf } from './program.ts';
import type { Program, ProgramTable } from './program.ts';
import { SetupError } from './setup-error.ts';

/** What containers of one Pod have in common. */
export interface PodRun {
  readonly surroundings: PodSurroundings;
  readonly processes: ProcessTable;
  readonly programs: ProgramTable;
  readonly volumes: PodVolumes;
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  readonly graceMs: number;
  /** Given when the Pod is to end: nothing starts any more. */
  readonly stopping: AbortSignal;
  record(happening: Happening): void;
  /** Called after every change of a status. */
  onChange(): void;
}

/** How often something that is not there yet is looked for. */
const lookAgainMs = 250;

/** Keeps one container running for as long as its Pod wants it to. */
export class ContainerRunner {
  readonly container: Container;
  readonly status: ContainerStatus;
  readonly #run: PodRun;
  readonly #backOff = new BackOff();
  #process: ContainerProcess | undefined;
  #log: LogFile | undefined;
  #previousLog: LogFile | undefined;
  #logs = 0;

  constructor(run: PodRun, container: Container) {
    this.container = container;
    this.#run = run;
    this.status = {
      name: container.name,
      state: { waiting: { reason: 'PodInitializing' } },
      lastState: {},
      ready: false,
      started: false,
      restartCount: 0,
      image: container.image,
      imageID: '',
    };
  }

  /** Whether a process of it is running now. */
  get isRunning(): boolean {
    return this.status.state.running !== undefined;
  }

  /** The log of the run that is or was last, or of the one before. */
  logOf(previous: boolean): LogFile | undefined {
    return previous ? this.#previousLog : this.#log;
  }

  /**
   * Runs the container, again and again where its Pod says so.
   *
   * @returns When it will not be started any more.
   */
  async runUntilDone(): Promise<void> {
    const { stopping } = this.#run;
    for (;;) {
      const program = await this.#findProgram();
      if (!program || stopping.aborted) return;
      const startedAt = Date.now();
      const exit = await this.#runOnce(program);
      if (!exit) return;
      this.#end(exit);
      if (stopping.aborted || !this.#isToRestart(exit)) return;
      await this.#waitToRestart(Date.now() - startedAt);
      if (stopping.aborted) return;
      this.status.restartCount += 1;
    }
  }

  /** Starts a process beside the container's own. @throws {Error} if the container is not running. */
  async startGuest(command: readonly string[]): ReturnType<ContainerProcess['startGuest']> {
    const program = programOf(this.#run.programs, this.container.image);
    if (!this.#process || !program || !this.isRunning) {
      throw new Error(`container not found ("${this.container.name}")`);
    }
    return this.#process.startGuest(this.#launchOf(program, command));
  }

  /** Ends the running process, after its preStop hook. */
  async end(graceMs: number): Promise<void> {
    const running = this.#process;
    if (!running || !this.isRunning) return;
    const deadline = Date.now() + graceMs;
    this.#record({ reason: 'Killing', message: `Stopping container ${this.container.name}` });
    await this.#preStop(running, graceMs);
    await running.end(Math.max(0, deadline - Date.now()));
  }

  /** Ends the running process at once. */
  kill(): void {
    void this.#process?.end(0);
  }

  /** Removes the logs. */
  remove(): void {
    this.#log?.remove();
    this.#previousLog?.remove();
  }

  async #findProgram(): Promise<Program | undefined> {
    const { image } = this.container;
    const program = programOf(this.#run.programs, image);
    if (program) return program;
    const known = Object.keys(this.#run.programs).join(', ');
    const message = `the embedded cluster runs only these images: ${known}`;
    const failed = `Failed to pull image "${image}": ${message}`;
    this.#record({ type: 'Warning', reason: 'Failed', message: failed });
    this.#record({ type: 'Warning', reason: 'Failed', message: 'Error: ErrImagePull' });
    this.#wait('ErrImagePull', failed);
    await this.#pause(lookAgainMs);
    if (this.#run.stopping.aborted) return undefined;
    const backOff = `Back-off pulling image "${image}": ErrImagePull: ${message}`;
    this.#record({ reason: 'BackOff', message: `Back-off pulling image "${image}"` });
    this.#wait('ImagePullBackOff', backOff);
    // The table never changes: only the end of the Pod ends this.
    await this.#pause(2 ** 31 - 1);
    return undefined;
  }

  async #runOnce(program: Program): Promise<ContainerExit | undefined> {
    const { image, name } = this.container;
    const launch = await this.#launchWhenReady(program);
    if (!launch) return undefined;
    this.#record({
      reason: 'Pulled',
      message: `Container image "${image}" already present on machine`,
    });
    this.#rotateLogs();
    this.#record({ reason: 'Created', message: `Container created` });
    const log = this.#log as LogFile;
    const startedAt = timestamp();
    try {
      this.#process = await ContainerProcess.start(this.#run.processes, launch, log);
    } catch (error) {
      log.end();
      const message = `failed to start container process: ${explain(error)}`;
      this.#record({ type: 'Warning', reason: 'Failed', message: `Error: ${message}` });
      const finishedAt = timestamp();
      return { exitCode: 128, reason: 'StartError', message, startedAt, finishedAt };
    }
    this.#record({ reason: 'Started', message: `Started container ${name}` });
    return this.#watch(this.#process);
  }

  async #watch(running: ContainerProcess): Promise<ContainerExit> {
    const { status } = this;
    status.containerID = running.id;
    status.imageID = `local://${this.container.image}`;
    this.#set({ running: { startedAt: running.startedAt } });
    const gone = new AbortController();
    const probes = new ContainerProbes({
      container: this.container,
      podIp: this.#run.surroundings.source.podIp,
      status,
      signal: gone.signal,
      start: (command) => this.startGuest(command),
      record: (happening) => this.#record(happening),
      onChange: () => this.#run.onChange(),
      onDead: () => void running.end(this.#run.graceMs),
    });
    probes.start();
    // Asked to stop while it was being started: nobody else knows of this process.
    if (this.#run.stopping.aborted) void this.end(this.#run.graceMs);
    const exit = await running.exit;
    gone.abort();
    return exit.exitCode === 0 ? exit : { ...exit, ...this.#lastWords(running) };
  }

  /** The launch, as soon as everything it refers to is there. */
  async #launchWhenReady(program: Program): Promise<Launch | undefined> {
    while (!this.#run.stopping.aborted) {
      try {
        return this.#launchOf(program);
      } catch (error) {
        if (!(error instanceof SetupError)) throw error;
        this.#record({ type: 'Warning', reason: 'Failed', message: `Error: ${error.message}` });
        this.#wait('CreateContainerConfigError', error.message);
      }
      await this.#pause(lookAgainMs);
    }
    return undefined;
  }

  #launchOf(program: Program, command?: readonly string[]): Launch {
    const { container } = this;
    const mapping = this.#run.volumes.mappingOf(container);
    return launchOf(this.#run.surroundings, { container, program, mapping }, command);
  }

  #rotateLogs(): void {
    this.#previousLog?.remove();
    this.#previousLog = this.#log;
    const name = `${this.container.name}.${this.#logs++}.log`;
    this.#log = new LogFile(join(this.#run.surroundings.folder, name));
  }

  #lastWords(running: ContainerProcess): { message?: string } {
    if (this.container.terminationMessagePolicy !== 'FallbackToLogsOnError') return {};
    const message = running.log.tail(80, 2048);
    return message ? { message } : {};
  }

  #end(exit: ContainerExit): void {
    const { containerID } = this.status;
    this.status.ready = false;
    this.status.started = false;
    this.#set({ terminated: { ...exit, ...(containerID ? { containerID } : {}) } });
  }

  #isToRestart({ exitCode }: ContainerExit): boolean {
    const { restartPolicy } = this.#run;
    return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0);
  }

  async #waitToRestart(ranMs: number): Promise<void> {
    const pauseMs = this.#backOff.nextMs(ranMs);
    const { name } = this.container;
    const { metadata } = this.#run.surroundings.source.pod;
    const pod = `${metadata.name}_${metadata.namespace}(${metadata.uid})`;
    this.status.lastState = this.status.state;
    if (pauseMs === 0) return;
    this.#record({
      type: 'Warning',
      reason: 'BackOff',
      message: `Back-off restarting failed container ${name} in pod ${pod}`,
    });
    const message = `back-off ${pauseMs / 1000}s restarting failed container=${name} pod=${pod}`;
    this.#wait('CrashLoopBackOff', message);
    await this.#pause(pauseMs);
  }

  async #preStop(running: ContainerProcess, graceMs: number): Promise<void> {
    const hook = this.container.lifecycle?.preStop;
    if (!hook) return;
    const over = Promise.race([running.exit, delay(graceMs, undefined, { ref: false })]);
    if (hook.sleep) {
      await Promise.race([over, delay(hook.sleep.seconds * 1000, undefined, { ref: false })]);
    }
    if (!hook.exec) return;
    try {
      const child = await this.startGuest(hook.exec.command);
      child.stdin?.end();
      child.stdout?.resume();
      child.stderr?.resume();
      await Promise.race([over, new Promise((resolve) => child.once('exit', resolve))]);
    } catch (error) {
      const message = `PreStopHook failed: ${explain(error)}`;
      this.#record({ type: 'Warning', reason: 'FailedPreStopHook', message });
    }
  }

  #wait(reason: string, message: string): void {
    this.#set({ waiting: { reason, message } });
  }

  #set(state: ContainerState): void {
    this.status.state = state;
    this.#run.onChange();
  }

  #record(happening: Happening): void {
    this.#run.record({ ...happening, fieldPath: `spec.containers{${this.container.name}}` });
  }

  /** Waits, but not for a Pod that is to end. */
  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#run.stopping }).catch(() => {});
  }
}
