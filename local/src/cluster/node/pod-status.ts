import { asStatus, withConditions } from './condition.ts';
import type { Condition, ContainerStatus, Pod, PodStatus } from './objects.ts';

/** What a node knows of a Pod. */
export interface PodKnowledge {
  readonly podIp: string;
  readonly startTime: string;
  readonly init: readonly ContainerStatus[];
  readonly containers: readonly ContainerStatus[];
  readonly areVolumesMounted: boolean;
}

/** The status that a node writes. */
export function podStatusOf(pod: Pod, known: PodKnowledge): PodStatus {
  const { podIp, init, containers } = known;
  const phase = phaseOf(pod, known);
  return {
    phase,
    observedGeneration: pod.metadata.generation,
    conditions: withConditions(pod.status?.conditions, conditionsOf(phase, known)),
    hostIP: '127.0.0.1',
    hostIPs: [{ ip: '127.0.0.1' }],
    podIP: podIp,
    podIPs: [{ ip: podIp }],
    startTime: known.startTime,
    ...(init.length > 0 ? { initContainerStatuses: [...init] } : {}),
    containerStatuses: [...containers],
    qosClass: 'BestEffort',
  };
}

function phaseOf({ spec }: Pod, { init, containers }: PodKnowledge): PodStatus['phase'] {
  const { restartPolicy = 'Always' } = spec;
  const hasFailedToInit = init.some(({ state }) => (state.terminated?.exitCode ?? 0) !== 0);
  if (hasFailedToInit && restartPolicy === 'Never') return 'Failed';
  if (!containers.every(hasStarted)) return 'Pending';
  const ends = containers.map(({ state }) => state.terminated);
  if (restartPolicy === 'Always' || ends.includes(undefined)) return 'Running';
  if (ends.every((end) => end?.exitCode === 0)) return 'Succeeded';
  return restartPolicy === 'Never' ? 'Failed' : 'Running';
}

function hasStarted({ state, lastState }: ContainerStatus): boolean {
  return !state.waiting || lastState.terminated !== undefined;
}

function conditionsOf(phase: PodStatus['phase'], known: PodKnowledge): Condition[] {
  const isDone = phase === 'Succeeded' || phase === 'Failed';
  const unready = known.containers.filter(({ ready }) => !ready).map(({ name }) => name);
  const isInitialized = known.init.every(({ state }) => state.terminated?.exitCode === 0);
  const ready = readiness(phase, isDone, unready);
  return [
    { type: 'PodReadyToStartContainers', status: asStatus(known.areVolumesMounted && !isDone) },
    { type: 'Initialized', ...initialization(isInitialized, known.init) },
    { type: 'Ready', ...ready },
    { type: 'ContainersReady', ...ready },
    { type: 'PodScheduled', status: 'True' },
  ];
}

function readiness(
  phase: PodStatus['phase'],
  isDone: boolean,
  unready: readonly string[],
): Omit<Condition, 'type'> {
  if (isDone) return { status: 'False', reason: phase === 'Failed' ? 'PodFailed' : 'PodCompleted' };
  if (unready.length === 0) return { status: 'True' };
  const message = `containers with unready status: [${unready.join(' ')}]`;
  return { status: 'False', reason: 'ContainersNotReady', message };
}

function initialization(
  isInitialized: boolean,
  init: readonly ContainerStatus[],
): Omit<Condition, 'type'> {
  if (isInitialized) return { status: 'True' };
  const missing = init.filter(({ state }) => state.terminated?.exitCode !== 0);
  const names = missing.map(({ name }) => name).join(' ');
  const message = `containers with incomplete status: [${names}]`;
  return { status: 'False', reason: 'ContainersNotInitialized', message };
}
