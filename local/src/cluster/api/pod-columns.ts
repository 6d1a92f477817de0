import { ageColumn, at, column, nameColumn } from './columns.ts';
import type { Column } from './columns.ts';
import { ageOf } from './duration.ts';
import type { Fields, StoredObject } from './object.ts';
import { fieldsOf, isFields, listOf, textOf } from './object.ts';

function statusesOf(pod: StoredObject, field: string): Fields[] {
  return listOf(fieldsOf(pod['status'])[field]).map(fieldsOf);
}

function stateOf(status: Fields, state: 'waiting' | 'running' | 'terminated'): Fields | undefined {
  const found = fieldsOf(status['state'])[state];
  return isFields(found) ? found : undefined;
}

function readyOf(pod: StoredObject): string {
  const statuses = statusesOf(pod, 'containerStatuses');
  const total = listOf(fieldsOf(pod['spec'])['containers']).length;
  return `${statuses.filter(({ ready }) => ready === true).length}/${total}`;
}

function restartsOf(pod: StoredObject): string {
  const statuses = statusesOf(pod, 'containerStatuses');
  const restarts = statuses.reduce((sum, { restartCount }) => sum + Number(restartCount ?? 0), 0);
  const ends = statuses
    .map(({ lastState }) => textOf(fieldsOf(fieldsOf(lastState)['terminated'])['finishedAt']))
    .filter(Boolean)
    .toSorted();
  const last = ends.at(-1);
  return restarts > 0 && last ? `${restarts} (${ageOf(last)} ago)` : String(restarts);
}

/** A Pod's state in a word, as `kubectl get pods` shows it. @see k8s.io/kubernetes/pkg/printers/internalversion printPod */
function podStatusOf(pod: StoredObject): string {
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  return initStatusOf(pod) ?? containerStatusOf(pod) ?? phaseOf(pod);
}

function phaseOf(pod: StoredObject): string {
  const { reason, phase } = fieldsOf(pod['status']);
  return textOf(reason) || textOf(phase, 'Pending');
}

function initStatusOf(pod: StoredObject): string | undefined {
  const statuses = statusesOf(pod, 'initContainerStatuses');
  const index = statuses.findIndex((status) => stateOf(status, 'terminated')?.['exitCode'] !== 0);
  const status = statuses[index];
  if (!status) return undefined;
  const waiting = textOf(stateOf(status, 'waiting')?.['reason']);
  const reason = failureOf(status) ?? (waiting === 'PodInitializing' ? '' : waiting);
  return `Init:${reason || `${index}/${statuses.length}`}`;
}

function containerStatusOf(pod: StoredObject): string | undefined {
  const statuses = statusesOf(pod, 'containerStatuses');
  const reasons = statuses.flatMap((status) => {
    const reason = textOf(stateOf(status, 'waiting')?.['reason']) || failureOf(status);
    return reason ? [reason] : [];
  });
  const isRunning = statuses.some((status) => stateOf(status, 'running') && status['ready']);
  return reasons[0] === 'Completed' && isRunning ? 'Running' : reasons[0];
}

function failureOf(status: Fields): string | undefined {
  const terminated = stateOf(status, 'terminated');
  if (!terminated) return undefined;
  return textOf(terminated['reason']) || `ExitCode:${Number(terminated['exitCode'] ?? 0)}`;
}

/** The columns of `kubectl get pods`. */
export const podColumns: readonly Column[] = [
  nameColumn,
  column('Ready', readyOf),
  column('Status', podStatusOf),
  column('Restarts', restartsOf),
  ageColumn,
  column('IP', at('.status.podIP'), 1),
  column('Node', at('.spec.nodeName'), 1),
  column('Nominated Node', at('.status.nominatedNodeName'), 1),
  column('Readiness Gates', at('.spec.readinessGates[*].conditionType'), 1),
];
