import type { ContainerStatus, Pod, Termination } from '../kubernetes/index.ts';

/** What keeps a Pod from being ready. */
export interface Trouble {
  readonly kind: 'pull' | 'crash' | 'setup' | 'unschedulable' | 'unready' | 'failed' | 'pending';
  /** Whether waiting seldom helps. A Pod that is not scheduled may be waiting for a new node. */
  readonly isStuck: boolean;
  readonly container?: ContainerStatus;
  readonly message?: string | undefined;
}

const pullReasons = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);
const setupReasons = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'PreCreateHookError',
  'PostStartHookError',
]);
/** Once may be bad luck: a database that was not there yet. */
const restartsOfACrash = 2;

/** What keeps a Pod from being ready; `undefined` if it is, or if it is on its way out. */
export function troubleOf(pod: Pod): Trouble | undefined {
  const { status = {}, metadata } = pod;
  if (metadata.deletionTimestamp !== undefined || status.phase === 'Succeeded') return undefined;
  if (conditionOf(pod, 'Ready')?.status === 'True') return undefined;
  return ofContainers(status) ?? ofPod(pod);
}

function ofContainers(status: NonNullable<Pod['status']>): Trouble | undefined {
  const { phase, initContainerStatuses = [], containerStatuses = [] } = status;
  const troubles = [...initContainerStatuses, ...containerStatuses]
    .map((container) => containerTrouble(container, phase === 'Failed'))
    .filter((trouble) => trouble !== undefined);
  return troubles.find(({ isStuck }) => isStuck) ?? troubles[0];
}

function ofPod(pod: Pod): Trouble {
  const { phase, message, reason, containerStatuses = [] } = pod.status ?? {};
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False') {
    return { kind: 'unschedulable', isStuck: false, message: scheduled.message };
  }
  if (phase === 'Failed') {
    const said = [reason, message].filter(Boolean).join(': ');
    return { kind: 'failed', isStuck: true, message: said };
  }
  const unready = containerStatuses.find(({ ready, state }) => !ready && state?.running);
  if (unready) return { kind: 'unready', isStuck: false, container: unready };
  return { kind: 'pending', isStuck: false };
}

function conditionOf({ status = {} }: Pod, type: string) {
  return status.conditions?.find((condition) => condition.type === type);
}

function containerTrouble(container: ContainerStatus, isOver: boolean): Trouble | undefined {
  const { state = {}, restartCount = 0 } = container;
  const { reason = '', message } = state.waiting ?? {};
  if (pullReasons.has(reason)) return { kind: 'pull', isStuck: true, container, message };
  if (setupReasons.has(reason)) return { kind: 'setup', isStuck: true, container, message };
  const end = endOf(container);
  if (state.running || !end || end.exitCode === 0) return undefined;
  return { kind: 'crash', isStuck: isOver || restartCount >= restartsOfACrash, container };
}

/** How a container ended, the last time. */
export function endOf({ state = {}, lastState = {} }: ContainerStatus): Termination | undefined {
  return state.terminated ?? lastState.terminated;
}
