import type { ContainerStatus, Pod, Termination } from '../kubernetes/index.ts';

/** Whether its readiness probe says so, and nobody is deleting it. */
export function isPodReady(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && conditionIs(pod, 'Ready', 'True');
}

/** Why a Pod is not ready, in one clause: the reason that is nearest to the cause. */
export function describePod(pod: Pod): string {
  const name = `Pod ${pod.metadata.name}`;
  if (pod.metadata.deletionTimestamp !== undefined) return `${name} is being deleted`;
  if (isPodReady(pod)) return `${name} is ready`;
  const { phase = 'Pending', reason, message } = pod.status ?? {};
  const unscheduled = pod.status?.conditions?.find(
    (condition) => condition.type === 'PodScheduled' && condition.status === 'False',
  );
  const clause =
    containerTrouble(pod) ??
    (unscheduled && sentence(unscheduled.reason, unscheduled.message)) ??
    sentence(reason, message) ??
    (phase === 'Running' ? 'runs, but is not ready' : phase);
  return `${name}: ${clause}`;
}

function containerTrouble(pod: Pod): string | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  return [...initContainerStatuses, ...containerStatuses]
    .map(troubleOf)
    .find((trouble) => trouble !== undefined);
}

function troubleOf(status: ContainerStatus): string | undefined {
  const { name, state = {} } = status;
  const { waiting, running } = state;
  const ended = endOf(status);
  const isCrashing = waiting?.reason === 'CrashLoopBackOff' && ended !== undefined;
  if (waiting?.reason !== undefined && !isCrashing) {
    return `${name}: ${sentence(waiting.reason, waiting.message)}`;
  }
  return running === undefined && ended !== undefined ? `${name} ${ended}` : undefined;
}

function endOf({ state = {}, lastState = {} }: ContainerStatus): string | undefined {
  const terminated = state.terminated ?? lastState.terminated;
  return terminated && terminated.exitCode !== 0 ? describeEnd(terminated) : undefined;
}

/** With the end of its log, where the Pod asks for that (`FallbackToLogsOnError`). */
function describeEnd({ exitCode, message }: Termination): string {
  const said = message?.trim().split('\n').slice(-3).join(' ');
  return `ended with exit code ${exitCode}${said ? `: ${said}` : ''}`;
}

function conditionIs(pod: Pod, type: string, status: string): boolean {
  return (
    pod.status?.conditions?.some((each) => each.type === type && each.status === status) === true
  );
}

function sentence(reason: string | undefined, message: string | undefined): string | undefined {
  return [reason, message].filter(Boolean).join(': ') || undefined;
}
