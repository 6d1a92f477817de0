import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { explain } from '@reposure/core';

import { timestamp } from '../api/store.ts';
import { ContainerRunner } from './container-runner.ts';
import type { PodRun } from './container-runner.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import type { PodSurroundings } from './launcher.ts';
import { modifyStatus, remove } from './modification.ts';
import type { NodeContext } from './node-context.ts';
import type { Pod } from './objects.ts';
import { podStatusOf } from './pod-status.ts';
import { PodVolumes } from './pod-volumes.ts';
import { SetupError } from './setup-error.ts';

const mountAgainMs = 250;

/** Which object. */
interface ObjectName {
  readonly namespace?: string;
  readonly name: string;
}

/** One Pod on this node, from its folder to its last process. */
export class PodWorker {
  readonly podIp: string;
  readonly #context: NodeContext;
  readonly #folder: string;
  /** Absent where the Pod wants no token. */
  readonly #kubeconfig: string | undefined;
  readonly #volumes: PodVolumes;
  readonly #init: readonly ContainerRunner[];
  readonly #containers: readonly ContainerRunner[];
  readonly #stopping = new AbortController();
  readonly #startTime = timestamp();
  readonly #work: Promise<void>;
  #pod: Pod;
  #areVolumesMounted = false;
  #ending: Promise<void> | undefined;

  constructor(context: NodeContext, pod: Pod) {
    this.#context = context;
    this.#pod = pod;
    this.podIp = context.addresses.take();
    this.#folder = join(context.directory, 'pods', pod.metadata.uid);
    mkdirSync(this.#folder, { recursive: true });
    this.#kubeconfig = this.#isGivenToken() ? join(this.#folder, 'kubeconfig') : undefined;
    const run = this.#preparedRun();
    this.#volumes = run.volumes;
    this.#init = (pod.spec.initContainers ?? []).map((each) => new ContainerRunner(run, each));
    this.#containers = pod.spec.containers.map((each) => new ContainerRunner(run, each));
    this.#writeStatus();
    this.#work = this.#runAll().catch((error: unknown) => {
      context.log.warn(`Pod ${pod.metadata.namespace}/${pod.metadata.name}: ${explain(error)}`);
    });
  }

  /** The container of that name, or the first one. @throws {Error} if there is none. */
  runnerOf(name: string | undefined): ContainerRunner {
    const all = [...this.#containers, ...this.#init];
    const found = name ? all.find(({ container }) => container.name === name) : all[0];
    if (!found)
      throw new Error(`container ${name} is not valid for pod ${this.#pod.metadata.name}`);
    return found;
  }

  /** The Pod as the API now has it; one with a deletionTimestamp is brought to its end. */
  update(pod: Pod): void {
    this.#pod = pod;
    const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
    if (deletionTimestamp) void this.end((deletionGracePeriodSeconds ?? 30) * 1000);
  }

  /** Brings a Secret or a ConfigMap up to date in the volumes that show it. */
  refreshVolumes(resource: 'secrets' | 'configmaps', { namespace, name }: ObjectName): void {
    if (namespace !== this.#pod.metadata.namespace) return;
    if (this.#areVolumesMounted && !this.#ending) this.#volumes.refresh(resource, name);
  }

  /** Ends every process, then removes the Pod's folder, its address and, where it is to go, its object. */
  async end(graceMs: number): Promise<void> {
    if (this.#ending && graceMs === 0) this.#kill();
    this.#ending ??= this.#end(graceMs);
    await this.#ending;
  }

  #kill(): void {
    for (const runner of [...this.#init, ...this.#containers]) runner.kill();
  }

  async #end(graceMs: number): Promise<void> {
    // Not within the event that asked for it: whoever deletes sees the call return first.
    await delay(0);
    this.#stopping.abort();
    await Promise.all([...this.#init, ...this.#containers].map((each) => each.end(graceMs)));
    await this.#work;
    for (const runner of [...this.#init, ...this.#containers]) runner.remove();
    rmSync(this.#folder, { recursive: true, force: true });
    this.#context.addresses.free(this.podIp);
    if (this.#pod.metadata.deletionTimestamp) {
      remove(this.#context.store, { resource: 'pods', object: this.#pod }, 0);
    }
  }

  async #runAll(): Promise<void> {
    await this.#mountVolumes();
    for (const runner of this.#init) {
      await runner.runUntilDone();
      if (runner.status.state.terminated?.exitCode !== 0) return;
      runner.status.ready = true;
    }
    if (this.#stopping.signal.aborted) return;
    this.#writeStatus();
    await Promise.all(this.#containers.map((runner) => runner.runUntilDone()));
  }

  async #mountVolumes(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        this.#volumes.mount();
        this.#writeKubeconfig();
        this.#areVolumesMounted = true;
        this.#setWaiting('PodInitializing');
        return;
      } catch (error) {
        if (!(error instanceof SetupError)) throw error;
        this.#record({ type: 'Warning', reason: 'FailedMount', message: error.message });
      }
      await delay(mountAgainMs, undefined, { signal }).catch(() => {});
    }
  }

  #preparedRun(): PodRun {
    const { store, binFolder, hosts, processes, programs } = this.#context;
    const { spec, metadata } = this.#pod;
    const namespace = metadata.namespace ?? 'default';
    const token = (): string => this.#token();
    const getPod = (): Pod => this.#pod;
    const source = {
      store,
      podIp: this.podIp,
      token,
      get pod() {
        return getPod();
      },
    };
    const surroundings: PodSurroundings = {
      source,
      folder: this.#folder,
      binFolder,
      hostsFile: hosts.path,
      kubeconfig: this.#kubeconfig,
    };
    return {
      surroundings,
      processes,
      programs,
      volumes: new PodVolumes(this.#folder, source, (claim) =>
        this.#context.claims.folderOf(namespace, claim),
      ),
      restartPolicy: spec.restartPolicy ?? 'Always',
      graceMs: (spec.terminationGracePeriodSeconds ?? 30) * 1000,
      stopping: this.#stopping.signal,
      record: (happening) => this.#record(happening),
      onChange: () => this.#writeStatus(),
    };
  }

  /** The Pod decides; where it does not, its ServiceAccount. */
  #isGivenToken(): boolean {
    const { spec, metadata } = this.#pod;
    const account = this.#context.store.peek(
      'serviceaccounts',
      metadata.namespace,
      spec.serviceAccountName ?? 'default',
    );
    return (
      (spec.automountServiceAccountToken ?? account?.['automountServiceAccountToken']) !== false
    );
  }

  /** @throws {SetupError} if the Pod's ServiceAccount is not there. */
  #token(): string {
    const { store, api } = this.#context;
    const { spec, metadata } = this.#pod;
    const account = spec.serviceAccountName ?? 'default';
    if (!store.peek('serviceaccounts', metadata.namespace, account)) {
      throw new SetupError(`serviceaccount "${account}" not found`);
    }
    return api.issueToken(metadata.namespace ?? 'default', account);
  }

  #writeKubeconfig(): void {
    if (!this.#kubeconfig) return;
    const { url, caPem } = this.#context.api;
    const { namespace = 'default' } = this.#pod.metadata;
    const access = { url, caPem, token: this.#token(), namespace, user: 'serviceaccount' };
    writeFileSync(this.#kubeconfig, kubeconfigOf(access), { mode: 0o600 });
  }

  #setWaiting(reason: string): void {
    const waiting = [...this.#init, ...this.#containers].filter(
      ({ status }) => status.state.waiting,
    );
    for (const { status } of waiting) status.state = { waiting: { reason } };
    this.#writeStatus();
  }

  #writeStatus(): void {
    const { store } = this.#context;
    modifyStatus(store, { resource: 'pods', object: this.#pod }, (draft) => {
      draft.status = podStatusOf(draft, {
        podIp: this.podIp,
        startTime: this.#startTime,
        init: this.#init.map(({ status }) => status),
        containers: this.#containers.map(({ status }) => status),
        areVolumesMounted: this.#areVolumesMounted,
      });
    });
  }

  #record(happening: Parameters<NodeContext['events']['record']>[1]): void {
    this.#context.events.record(this.#pod, happening);
  }
}
