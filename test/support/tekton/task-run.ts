import { readFileSync } from 'node:fs';

import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { resourceTypes } from '@reposure/core/kubernetes';

import type { Step, Task } from './resources.ts';
import { applyTexts, substitutedSteps } from './substitution.ts';
import type { TaskRunInput } from './substitution.ts';

/** How a TaskRun ended. */
export interface TaskRunEnd {
  readonly succeeded: boolean;
  /** As Tekton reads them after each step; the last one counts. */
  readonly results: Readonly<Record<string, string>>;
  /** By the step's name. */
  readonly logs: Readonly<Record<string, string>>;
}

/** Where a TaskRun runs besides. */
export interface TaskRunPlace {
  readonly kubernetes: KubernetesClient;
  readonly serviceAccount: string;
  /** Of the Pod, as a TaskRun's podTemplate has it. */
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

interface Pod extends KubernetesObject {
  status?: { phase?: string };
}

const entrypoint = readFileSync(new URL('entrypoint.mjs', import.meta.url), 'utf8');
const internal = ['run', 'results', 'steps', 'creds'];

/**
 * Runs a TaskRun as one Pod in the shape that Tekton gives it: a container for each step, which waits
 * for the one before; the same volumes, mounts and security contexts. Only the entrypoint is ours.
 */
export async function runTask(
  task: Task,
  run: TaskRunInput,
  place: TaskRunPlace,
): Promise<TaskRunEnd> {
  const { kubernetes } = place;
  const { name, namespace } = run;
  const script = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'tekton-entrypoint', namespace },
    data: { 'entrypoint.mjs': entrypoint },
  };
  await kubernetes.apply(script);
  const steps = substitutedSteps(task, run);
  await kubernetes.create(podOf(task, steps, run, place));
  const phase = await endOf(kubernetes, name, namespace);
  const logs: Record<string, string> = {};
  for (const step of steps) logs[step.name] = await logOf(kubernetes, run, `step-${step.name}`);
  await kubernetes.delete(resourceTypes.Pod, name, namespace);
  const results = { ...resultsIn(logs), ...chosenResults(task, logs) };
  return { succeeded: phase === 'Succeeded', results, logs };
}

function podOf(
  task: Task,
  steps: readonly Step[],
  run: TaskRunInput,
  place: TaskRunPlace,
): Pod & { spec: object } {
  const { name, namespace, workspaces = {} } = run;
  const bound = (task.spec.workspaces ?? []).filter((each) => each.name in workspaces);
  const mounts = [
    ...internal.map((each) => ({ name: `tekton-${each}`, mountPath: `/tekton/${each}` })),
    { name: 'tekton-bin', mountPath: '/tekton/bin' },
    ...bound.map(mountOf),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      restartPolicy: 'Never',
      serviceAccountName: place.serviceAccount,
      ...(place.securityContext ? { securityContext: place.securityContext } : {}),
      containers: steps.map((step, at) => containerOf(step, steps[at - 1], task, mounts)),
      volumes: [
        ...internal.map((each) => ({ name: `tekton-${each}`, emptyDir: {} })),
        { name: 'tekton-bin', configMap: { name: 'tekton-entrypoint' } },
        ...bound.map((each) => volumeOf(each.name, workspaces[each.name] ?? {})),
        ...(task.spec.volumes ?? []),
      ],
    },
  };
}

function mountOf({ name, readOnly = false }: { name: string; readOnly?: boolean }): {
  name: string;
  mountPath: string;
  readOnly: boolean;
} {
  return { name: `ws-${name}`, mountPath: `/workspace/${name}`, readOnly };
}

function volumeOf(name: string, source: object): object {
  return { name: `ws-${name}`, ...source };
}

function containerOf(
  step: Step,
  previous: Step | undefined,
  task: Task,
  mounts: readonly { mountPath: string }[],
): object {
  const volumeMounts = [...mounts, ...(step.volumeMounts ?? [])];
  const order = {
    name: `step-${step.name}`,
    ...(previous ? { after: `step-${previous.name}` } : {}),
    words: [...(step.command ?? []), ...(step.args ?? [])],
    when: step.when,
    onError: step.onError,
    results: (task.spec.results ?? []).flatMap(({ name, value }) => (value ? [] : [name])),
    stepResults: (step.results ?? []).map(({ name }) => name),
    mountPaths: volumeMounts.map(({ mountPath }) => mountPath),
  };
  return {
    name: `step-${step.name}`,
    image: step.image,
    imagePullPolicy: 'IfNotPresent',
    // No value that the embedded cluster would take for a path.
    command: [
      'node',
      '/tekton/bin/entrypoint.mjs',
      '/tekton/run',
      Buffer.from(JSON.stringify(order)).toString('base64'),
    ],
    env: step.env ?? [],
    volumeMounts,
    securityContext: step.securityContext,
  };
}

async function endOf(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
): Promise<string> {
  const deadlineMs = Date.now() + 90_000;
  for (;;) {
    const { status } = await kubernetes.get<Pod>(resourceTypes.Pod, name, namespace);
    const { phase = 'Pending' } = status ?? {};
    if (phase === 'Succeeded' || phase === 'Failed') return phase;
    if (Date.now() > deadlineMs)
      throw new Error(`Pod ${name} is still ${phase}: ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function logOf(
  kubernetes: KubernetesClient,
  { name, namespace }: TaskRunInput,
  container: string,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of kubernetes.logs(name, namespace, { container }))
    chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

interface Reported {
  readonly key: string;
  readonly value: string;
  /** 1 of the Task, 4 of the step. */
  readonly type: number;
}

function resultsIn(logs: Readonly<Record<string, string>>): Record<string, string> {
  const read = Object.values(logs).flatMap(reportedIn);
  return Object.fromEntries(
    read.filter(({ type }) => type === 1).map(({ key, value }) => [key, value]),
  );
}

function reportedIn(log: string): Reported[] {
  return [...log.matchAll(/^::results::(.*)$/gm)].flatMap(
    ([, json = '[]']) => JSON.parse(json) as Reported[],
  );
}

/** Results of the Task that are said to be those of a step. */
function chosenResults(
  { spec }: Task,
  logs: Readonly<Record<string, string>>,
): Record<string, string> {
  const texts = Object.entries(logs).flatMap(([step, log]) =>
    reportedIn(log)
      .filter(({ type }) => type === 4)
      .map(({ key, value }) => [`steps.${step}.results.${key}`, value]),
  );
  const chosen = (spec.results ?? []).flatMap(({ name, value }) =>
    value === undefined ? [] : [[name, applyTexts(value, Object.fromEntries(texts))]],
  );
  return Object.fromEntries(chosen);
}
