import type { NodeBackends } from '../api/backends.ts';
import { StatusError } from '../api/status.ts';
import type { Store } from '../api/store.ts';
import type { ContainerRunner } from './container-runner.ts';
import { attach } from './exec.ts';
import type { Kubelet } from './kubelet.ts';
import type { Pod, Service } from './objects.ts';
import { portOf } from './probe.ts';
import { targetsOf } from './service-proxy.ts';
import type { Target } from './tcp-forwarder.ts';

/** Whatever of the API needs something that runs. */
export function backendsOf(
  store: Store,
  kubelet: Kubelet,
): Pick<NodeBackends, 'exec' | 'logs' | 'proxy'> {
  return {
    async exec(request, { stdin, stdout, stderr, signal }) {
      const runner = runnerOf(kubelet, request.namespace, request.pod, request.container);
      const child = await startIn(runner, request.command);
      return attach(child, { stdin: request.stdin ? stdin : undefined, stdout, stderr, signal });
    },
    logs({ namespace, pod, container, follow, tailLines, previous, signal }) {
      const runner = runnerOf(kubelet, namespace, pod, container);
      const log = runner.logOf(previous);
      if (!log) throw noLog(runner, pod, previous);
      return log.read({ follow, tailLines, signal });
    },
    async proxy({ kind, namespace, name, port }) {
      return kind === 'pod'
        ? podTarget(store, namespace, name, port)
        : serviceTarget(store, namespace, name, port);
    },
  };
}

function runnerOf(
  kubelet: Kubelet,
  namespace: string,
  pod: string,
  container: string,
): ContainerRunner {
  try {
    return kubelet.workerOf(namespace, pod).runnerOf(container);
  } catch (error) {
    throw badRequest(error);
  }
}

async function startIn(
  runner: ContainerRunner,
  command: readonly string[],
): ReturnType<ContainerRunner['startGuest']> {
  try {
    return await runner.startGuest(command);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const why = `exec: "${command[0]}": executable file not found in $PATH`;
    throw isMissing ? new StatusError(500, 'InternalError', why) : badRequest(error);
  }
}

function noLog(
  { container, status }: ContainerRunner,
  pod: string,
  previous: boolean,
): StatusError {
  const what = `container "${container.name}" in pod "${pod}"`;
  const { waiting } = status.state;
  const message = previous
    ? `previous terminated ${what} not found`
    : `${what} is waiting to start: ${waiting?.message ?? waiting?.reason ?? 'starting'}`;
  return badRequest(message);
}

function badRequest(error: unknown): StatusError {
  const message = error instanceof Error ? error.message : String(error);
  return new StatusError(400, 'BadRequest', message);
}

function podTarget(store: Store, namespace: string, name: string, port: string): Target {
  const pod = store.peek('pods', namespace, name) as Pod | undefined;
  const host = pod?.status?.podIP;
  if (!pod || !host) throw badRequest(`address not allowed: pod "${name}" has no address`);
  const [first] = pod.spec.containers;
  if (!first) throw badRequest(`pod "${name}" has no container`);
  return { host, port: port ? portOf(first, port) : (first.ports?.[0]?.containerPort ?? 80) };
}

function serviceTarget(store: Store, namespace: string, name: string, port: string): Target {
  const service = store.peek('services', namespace, name) as Service | undefined;
  const { ports = [] } = service?.spec ?? {};
  const found = port
    ? ports.find((each) => each.name === port || String(each.port) === port)
    : ports[0];
  if (!service || !found) {
    throw new StatusError(
      503,
      'ServiceUnavailable',
      `no service port "${port}" found for service "${name}"`,
    );
  }
  const targets = targetsOf(store, service, found);
  const target = targets[Math.floor(Math.random() * targets.length)];
  if (target) return target;
  const message = `no endpoints available for service "${name}"`;
  throw new StatusError(503, 'ServiceUnavailable', message);
}
