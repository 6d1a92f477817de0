import { collect } from '../bytes.ts';
import { resourceTypes } from '../kubernetes/index.ts';
import type {
  ContainerStatus,
  KubernetesClient,
  KubernetesObject,
  Pod,
} from '../kubernetes/index.ts';
import type { Registry } from '../resource/index.ts';
import { endOf, troubleOf } from './pod-trouble.ts';
import type { Trouble } from './pod-trouble.ts';
import { adviceOn, hostOf, pullCauseIn } from './pull-advice.ts';
import { newestPodsOf } from './workload-pods.ts';

interface Event extends KubernetesObject {
  type?: string;
  reason?: string;
  message?: string;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  involvedObject?: { uid?: string };
}

const shownLogLines = 5;
const maxLogBytes = 65_536;
const maxLogLength = 600;

/**
 * Says why a workload does not come up: of its Pods, of their containers, with what was logged, and
 * with the next step where there is one.
 *
 * @returns One paragraph; `undefined` if nothing is to be seen, or nothing may be looked at.
 */
export async function diagnose(
  kubernetes: KubernetesClient,
  object: KubernetesObject,
): Promise<string | undefined> {
  const found = await optional(() => newestPodsOf(kubernetes, object));
  if (!found) return undefined;
  const sick = found.pods.flatMap((pod) => {
    const trouble = troubleOf(pod);
    return trouble ? [{ pod, trouble }] : [];
  });
  // The one that says most; the others have mostly the same.
  const [worst, ...others] = sick.toSorted((a, b) => rankOf(a.trouble) - rankOf(b.trouble));
  if (!worst) return found.pods.length === 0 ? whyNoPods(kubernetes, found.owner) : undefined;
  const said = await explainTrouble(kubernetes, worst.pod, worst.trouble);
  const alike = others.filter(({ trouble }) => trouble.kind === worst.trouble.kind).length;
  return alike === 0 ? said : `${said} (and ${alike} more ${alike === 1 ? 'Pod' : 'Pods'} alike)`;
}

const ranks: readonly Trouble['kind'][] = [
  'pull',
  'setup',
  'crash',
  'failed',
  'unschedulable',
  'unready',
  'pending',
];

function rankOf({ kind, isStuck }: Trouble): number {
  return ranks.indexOf(kind) + (isStuck ? 0 : ranks.length);
}

/** A Pod and what is wrong with it, for whoever explains it. */
interface Case {
  readonly kubernetes: KubernetesClient;
  readonly pod: Pod;
  readonly trouble: Trouble;
  /** `Pod app-1` */
  readonly name: string;
  /** `container app of Pod app-1` */
  readonly where: string;
}

const explanations: Readonly<Record<Trouble['kind'], (one: Case) => Promise<string>>> = {
  pull: explainPull,
  setup: async ({ where, trouble: { message, container } }) =>
    `${where} cannot be started: ${message ?? container?.state?.waiting?.reason ?? 'nobody says why'}`,
  crash: async (one) => `${one.where} ${describeEnd(one.trouble.container)}${await logClause(one)}`,
  failed: async ({ name, trouble: { message } }) =>
    `${name} has failed${message ? `: ${message}` : ''}`,
  unschedulable: async ({ name, trouble: { message } }) =>
    `no node takes ${name}: ${message ?? 'the scheduler has not said why'}`,
  unready: async (one) => {
    const said = await eventClause(one, ({ reason }) => reason === 'Unhealthy');
    return `${one.where} runs, but is not ready${said}${await logClause(one)}`;
  },
  pending: async (one) => {
    const said = await eventClause(one, ({ type }) => type === 'Warning');
    return `${one.name} has not started${said}`;
  },
};

/** Why a Pod is not ready, with the next step where there is one. */
export function explainTrouble(
  kubernetes: KubernetesClient,
  pod: Pod,
  trouble: Trouble,
): Promise<string> {
  const name = `Pod ${pod.metadata.name}`;
  const where = `container ${trouble.container?.name ?? ''} of ${name}`;
  return explanations[trouble.kind]({ kubernetes, pod, trouble, name, where });
}

async function explainPull(one: Case): Promise<string> {
  const { kubernetes, pod, trouble, where } = one;
  const { namespace = '' } = pod.metadata;
  const image = imageOf(pod, trouble.container);
  const reason = trouble.container?.state?.waiting?.reason ?? '';
  const cause = await pullCauseOf(one, reason);
  const step = adviceOn({
    image,
    cause: `${reason}: ${cause}`,
    namespace,
    serviceAccount: pod.spec?.serviceAccountName ?? 'default',
    registry: await registryOf(kubernetes, hostOf(image), namespace),
  });
  return `${where} cannot pull ${image}: ${oneLine(cause)}${step ? `; ${step}` : ''}`;
}

/** Older kubelets only say "Back-off" after the first failure; their events still say why. */
async function pullCauseOf({ kubernetes, pod, trouble }: Case, reason: string): Promise<string> {
  const said = pullCauseIn(trouble.message ?? '');
  if (said) return said;
  const event = await lastEvent(kubernetes, pod, ({ message = '' }) =>
    message.startsWith('Failed to pull image'),
  );
  return pullCauseIn(event?.message ?? '') || reason;
}

async function eventClause(
  { kubernetes, pod }: Case,
  isMeant: (event: Event) => boolean,
): Promise<string> {
  const event = await lastEvent(kubernetes, pod, isMeant);
  return event?.message ? `: ${oneLine(event.message)}` : '';
}

function imageOf(pod: Pod, container: ContainerStatus | undefined): string {
  const written = pod.spec?.containers?.find(({ name }) => name === container?.name)?.image;
  return written ?? container?.image ?? 'its image';
}

function describeEnd(container: ContainerStatus | undefined): string {
  const end = container && endOf(container);
  const isTelling = end?.reason !== undefined && end.reason !== 'Error';
  const reason = isTelling ? ` (${end.reason})` : '';
  const times = (container?.restartCount ?? 0) + 1;
  return `ended with exit code ${end?.exitCode ?? 'unknown'}${reason}${times > 1 ? `, ${times} times` : ''}`;
}

async function logClause({ kubernetes, pod, trouble: { container } }: Case): Promise<string> {
  if (!container) return '';
  const { name, namespace = '' } = pod.metadata;
  const isBetween = container.state?.waiting !== undefined;
  const read = (previous: boolean): Promise<Buffer> =>
    collect(
      kubernetes.logs(name, namespace, {
        container: container.name,
        tailLines: shownLogLines,
        previous,
        signal: AbortSignal.timeout(5000),
      }),
      'the log',
      maxLogBytes,
    );
  // While it waits for its next start, the log is that of the last one, or of none.
  const log = (await optional(() => read(isBetween))) ?? (await optional(() => read(!isBetween)));
  const said = oneLine(log?.toString() ?? '');
  return said ? `; the end of its log: ${said}` : '; its log is empty';
}

async function lastEvent(
  kubernetes: KubernetesClient,
  object: KubernetesObject,
  isMeant: (event: Event) => boolean,
): Promise<Event | undefined> {
  const { uid = '', namespace } = object.metadata;
  const fieldSelector = `involvedObject.uid=${uid}`;
  const events = await optional(() =>
    kubernetes.list<Event>(resourceTypes.Event, { namespace, fieldSelector }),
  );
  return events?.items
    .filter((event) => event.involvedObject?.uid === uid && isMeant(event))
    .toSorted((a, b) => timeOf(b) - timeOf(a))[0];
}

function timeOf({ lastTimestamp, eventTime, metadata }: Event): number {
  return Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '') || 0;
}

async function whyNoPods(
  kubernetes: KubernetesClient,
  owner: KubernetesObject,
): Promise<string | undefined> {
  const event = await lastEvent(kubernetes, owner, ({ type }) => type === 'Warning');
  return event?.message ? `it has no Pods: ${oneLine(event.message)}` : undefined;
}

/** Names the Registry in the advice; whoever may not look gets a placeholder. */
async function registryOf(
  kubernetes: KubernetesClient,
  host: string,
  namespace: string,
): Promise<{ name: string; namespace: string } | undefined> {
  const list = (scope: { namespace?: string }) =>
    optional(() => kubernetes.list<Registry>(resourceTypes.Registry, scope));
  const found = (await list({})) ?? (await list({ namespace }));
  const registry = found?.items.find(
    ({ status }) => status?.pullHost === host || status?.pushHost === host,
  );
  if (!registry) return undefined;
  const { metadata } = registry;
  return { name: metadata.name, namespace: metadata.namespace ?? namespace };
}

/** What only explains must not hide what is explained. */
async function optional<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}

function oneLine(text: string): string {
  const line = text
    .trim()
    .split(/\s*\n\s*/)
    .join(' / ');
  return line.length > maxLogLength ? `…${line.slice(-maxLogLength)}` : line;
}
