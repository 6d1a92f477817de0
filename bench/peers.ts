import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { openCluster, resourceTypes, waitFor } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';

import { hasTool } from '../test/support/tools.ts';
import type { Arena } from './arena.ts';
import type { CommandFor } from './contestants.ts';
import type { Command } from './measure.ts';

// The programs that people move images with today.

/** Those of `tools` that are not on the PATH. */
export function missingTools(...tools: readonly string[]): readonly string[] {
  return tools.filter((name) => !hasTool(name));
}

/** How crane pushes a layout. @param host `ADDRESS:PORT`, plain HTTP */
export function cranePushing(host: string): CommandFor {
  return (repository, folder) => ({
    words: ['crane', 'push', '--insecure', folder, `${host}/${repository}:1`],
  });
}

/** How crane pulls to a layout. */
export function cranePulling(host: string): CommandFor {
  return (repository, folder) => ({
    words: ['crane', 'pull', '--insecure', '--format=oci', `${host}/${repository}:1`, folder],
  });
}

// Without --preserve-digests, it would compress the layers first.
const skopeoCopy = ['skopeo', '--insecure-policy', 'copy', '-q', '--preserve-digests'];

/** How skopeo pushes a layout. */
export function skopeoPushing(host: string): CommandFor {
  return (repository, folder) => ({
    words: [
      ...skopeoCopy,
      '--dest-tls-verify=false',
      `oci:${folder}`,
      `docker://${host}/${repository}:1`,
    ],
  });
}

/** How skopeo pulls to a layout. */
export function skopeoPulling(host: string): CommandFor {
  return (repository, folder) => ({
    words: [
      ...skopeoCopy,
      '--src-tls-verify=false',
      `docker://${host}/${repository}:1`,
      `oci:${folder}:1`,
    ],
  });
}

const sleeper = 'sleeper';

/** Starts a Pod with a shell, that `kubectl exec` and `kubectl cp` can send to. */
export async function startSleeper({ env, namespace }: Arena): Promise<void> {
  const kubernetes = await openCluster({ kubeconfig: env['KUBECONFIG'] });
  try {
    await kubernetes.apply(sleeperPod(namespace));
    await isRunning(kubernetes, namespace);
  } finally {
    kubernetes.close();
  }
}

function sleeperPod(namespace: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: sleeper, namespace },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [
        {
          name: sleeper,
          image: 'docker.io/library/busybox:1',
          imagePullPolicy: 'IfNotPresent',
          command: ['sleep', '86400'],
        },
      ],
    },
  };
}

async function isRunning(kubernetes: KubernetesClient, namespace: string): Promise<void> {
  await waitFor<KubernetesObject>(
    kubernetes,
    resourceTypes.Pod,
    { name: sleeper, namespace },
    { until: (pod) => phaseOf(pod) === 'Running', describe: phaseOf, timeoutMs: 60_000 },
  );
}

function phaseOf(pod?: KubernetesObject): string {
  return (pod?.['status'] as { phase?: string } | undefined)?.phase ?? 'unknown';
}

/** The bare stream that the exec route goes over: a file into a Pod, and thrown away there. */
export function kubectlExec({ env }: Arena, file: string): Command {
  const words = ['kubectl', 'exec', '-i', sleeper, '--', 'sh', '-c', 'cat >/dev/null; :'];
  return { words, env, stdin: file };
}

/** A file into a Pod, and kept there. */
export function kubectlCopy({ env }: Arena, file: string): Command {
  return { words: ['kubectl', 'cp', file, `${sleeper}:/tmp/copied`], env };
}

/** A port of this machine that leads to the registry in the cluster. */
export interface PortForward extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
}

/** Starts `kubectl port-forward`. @throws {Error} if it ends instead. */
export async function startPortForward({ env }: Arena): Promise<PortForward> {
  const child = spawn('kubectl', ['port-forward', `service/${names.simple}`, ':5000'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const said = new Promise<string>((resolve, reject) => {
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => {
      const [, host] = /(127\.0\.0\.1:\d+)/.exec(chunk.toString()) ?? [];
      if (host) resolve(host);
    });
    void ended.then(() => reject(new Error(`kubectl port-forward has ended: ${errors}`)));
  });
  return {
    host: await said,
    [Symbol.asyncDispose]: async () => {
      // On SIGTERM it may wait for connections that nobody ends.
      child.kill('SIGKILL');
      await ended;
    },
  };
}
