import { NotFoundError, TimeoutError } from '../errors.ts';
import { resourceTypes, waitFor } from '../kubernetes/index.ts';
import type { KubernetesClient, Pod } from '../kubernetes/index.ts';
import { explainTrouble } from './diagnosis.ts';
import { troubleOf } from './pod-trouble.ts';

/** How a pull is checked. */
export interface PullCheckOptions {
  /** By digest, under the name that nodes pull. */
  readonly image: string;
  readonly namespace: string;
  /** Of the Pod that is made for it: whoever is killed meanwhile can have it removed by this name. */
  readonly pod: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** For the kubelet, should nobody be left to remove the Pod. */
const deadlineSeconds = 300;
/** Such a program is in no image, so that nothing of the image ever runs. */
const noProgram = '/reposure-only-looks-whether-this-image-can-be-pulled';

/**
 * Proves that a node can pull an image: by a Pod of it, which is removed again and never runs anything.
 *
 * @throws {NotFoundError} if the node cannot; says why, and what may be done.
 * @throws {TimeoutError} if no node has tried in time.
 */
export async function checkPull(
  kubernetes: KubernetesClient,
  options: PullCheckOptions,
): Promise<void> {
  const { image, namespace, pod: name, timeoutMs, signal } = options;
  await kubernetes.create(podOf(options));
  try {
    const pod = await waitFor<Pod>(
      kubernetes,
      resourceTypes.Pod,
      { name, namespace },
      {
        until: (seen) => seen !== undefined && (isPulled(seen) || isRefused(seen)),
        describe: () => `no node has pulled ${image}`,
        timeoutMs,
        signal,
      },
    );
    const trouble = isPulled(pod) ? undefined : troubleOf(pod);
    if (trouble === undefined) return;
    throw new NotFoundError(
      `Cannot verify the pull: ${await explainTrouble(kubernetes, pod, trouble)}`,
    );
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof TimeoutError)) throw error;
    throw new TimeoutError(`Cannot verify the pull: ${error.message}`, { cause: error });
  } finally {
    await removePullCheck(kubernetes, name, namespace);
  }
}

/** Removes the Pod of a check, if it is there. */
export async function removePullCheck(
  kubernetes: KubernetesClient,
  name: string,
  namespace: string,
): Promise<void> {
  await kubernetes.delete(resourceTypes.Pod, name, namespace);
}

/** A container that was made, or could not be for its settings or its program, has its image. */
function isPulled({ status }: Pod): boolean {
  const [{ state = {} } = {}] = status?.containerStatuses ?? [];
  const reason = state.waiting?.reason ?? '';
  return (
    state.running !== undefined ||
    state.terminated !== undefined ||
    /^(?:Create|Run)Container/.test(reason)
  );
}

function isRefused(pod: Pod): boolean {
  return troubleOf(pod)?.kind === 'pull';
}

function podOf({ image, namespace, pod: name }: PullCheckOptions) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: {
        'app.kubernetes.io/name': 'reposure-pull-check',
        'app.kubernetes.io/part-of': 'reposure',
      },
    },
    spec: {
      restartPolicy: 'Never',
      activeDeadlineSeconds: deadlineSeconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65_532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'image',
          image,
          // Also where the node has it already: that it had been pulled once proves nothing.
          imagePullPolicy: 'Always',
          command: [noProgram],
          resources: {
            requests: { cpu: '1m', memory: '8Mi' },
            limits: { cpu: '100m', memory: '32Mi' },
          },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  };
}
