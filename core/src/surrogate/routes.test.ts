import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rootCertificates } from 'node:tls';

import { afterEach, describe, expect, it } from 'vitest';

import { UnreachableError } from '../errors.ts';
import type { ExecSession, KubernetesClient } from '../kubernetes/client.ts';
import { KubernetesError } from '../kubernetes/index.ts';
import { registryLabel } from '../resource/registry.ts';
import type { Registry, RegistrySpec, RegistryStatus } from '../resource/registry.ts';
import { SurrogateError } from './greeting.ts';
import { openRoute } from './open-route.ts';
import type { OpenRouteOptions } from './open-route.ts';
import type { Route } from './route.ts';
import { StdioStream } from './stdio-stream.ts';
import { startServer } from './test/support.ts';

const program = `${import.meta.dirname}/test/far-side.ts`;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const running = {
  metadata: { name: 'p' },
  status: { phase: 'Running', containerStatuses: [{ name: 'surrogate', state: { running: {} } }] },
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A cluster of a few objects, whose exec starts a process on this machine. */
class Cluster {
  readonly objects = new Map<string, unknown>([['Pod reposure-surrogate-default-0', running]]);
  readonly execs: { session: ExecSession; kill: () => void }[] = [];
  args: readonly string[] = [];

  find = async (type: { kind: string }, name: string): Promise<unknown> => {
    const found = this.objects.get(`${type.kind} ${name}`);
    if (found instanceof Error) throw found;
    return found;
  };

  get = async (type: { kind: string }, name: string): Promise<unknown> => {
    const found = await this.find(type, name);
    if (found === undefined) throw new KubernetesError(`get ${type.kind} ${name}`, { status: 404 });
    return found;
  };

  exec = async (): Promise<ExecSession> => {
    const child = spawn(process.execPath, this.args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const exited = once(child, 'exit');
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const stream = new StdioStream(child.stdout, child.stdin);
    stream.on('error', () => {});
    const session: ExecSession = {
      stream,
      protocol: 'v5.channel.k8s.io',
      exit: exited.then(() => ({ exitCode: child.exitCode ?? undefined, message: 'it ended' })),
      stderr: () => said,
      abort: () => {
        stream.destroy();
        child.stdin.destroy();
      },
    };
    this.execs.push({ session, kill: () => child.kill('SIGKILL') });
    cleanups.push(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    return session;
  };

  close = (): void => {};

  get client(): KubernetesClient {
    return this as unknown as KubernetesClient;
  }
}

function registryOf(spec: Partial<RegistrySpec> = {}, status: RegistryStatus = {}): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name: 'default', namespace: 'ci', generation: 1 },
    spec: { type: 'oci', ...spec },
    status,
  };
}

async function opened(cluster: Cluster, options: Partial<OpenRouteOptions> = {}): Promise<Route> {
  const route = await openRoute({
    kubernetes: cluster.client,
    registry: registryOf(),
    route: 'exec',
    ...options,
  });
  cleanups.push(() => route.close());
  return route;
}

/** A registry whose ping answers 200 to the right login only, if there is one. */
async function startRegistry(authorization?: string): Promise<{ host: string }> {
  const server = await startServer((request, response) => {
    const isAllowed =
      authorization === undefined || request.headers.authorization === authorization;
    response
      .writeHead(isAllowed ? 200 : 401, isAllowed ? {} : { 'www-authenticate': 'Basic realm="x"' })
      .end();
  });
  cleanups.push(() => server.close());
  return server;
}

const ping = async ({ request }: Pick<Route, 'request'>): Promise<number> => {
  const answer = await request({ method: 'GET', path: '/v2/' });
  await answer.discard();
  return answer.status;
};
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the exec route', () => {
  it('opens one session for many requests, and another after it was lost', async () => {
    const { host } = await startRegistry();
    const cluster = new Cluster();
    cluster.args = [program, host];
    const route = await opened(cluster);
    expect(cluster.execs).toHaveLength(0);
    expect(await Promise.all([ping(route), ping(route), ping(route)])).toEqual([200, 200, 200]);
    expect(cluster.execs).toHaveLength(1);
    const [first] = cluster.execs;
    first?.kill();
    await first?.session.exit;
    // The loss may be seen by one request; the next one finds another session.
    const outcome = await failureOf(ping(route));
    expect(outcome === undefined || outcome instanceof UnreachableError).toBe(true);
    expect(await ping(route)).toBe(200);
    expect(cluster.execs).toHaveLength(2);
    expect([route.via, route.reason]).toEqual(['exec', 'asked for']);
  });

  it('ends the far side when it is closed', async () => {
    const { host } = await startRegistry();
    const cluster = new Cluster();
    cluster.args = [program, host];
    const route = await opened(cluster);
    await ping(route);
    await route.close();
    expect(await cluster.execs[0]?.session.exit).toMatchObject({ exitCode: 0 });
    await expect(ping(route)).rejects.toThrow(/the route is closed/);
  });

  it.each([
    [
      'a Pod that is not there',
      undefined,
      /Pod reposure-surrogate-default-0 does not exist; want it running; the operator says: waiting for the Pod; `reposure registry describe default -n ci` says more/,
      true,
    ],
    [
      'a Pod whose image cannot be pulled',
      {
        metadata: {},
        status: {
          containerStatuses: [
            {
              name: 'surrogate',
              state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } },
            },
          ],
        },
      },
      /waits: ErrImagePull: no such image/,
      false,
    ],
    [
      'a Pod that has ended',
      {
        metadata: {},
        status: {
          containerStatuses: [
            { name: 'surrogate', state: { terminated: { reason: 'OOMKilled', exitCode: 137 } } },
          ],
        },
      },
      /has ended: OOMKilled: exit code 137/,
      true,
    ],
    [
      'a Pod that no node takes',
      { metadata: {}, status: { phase: 'Pending' } },
      /is Pending/,
      true,
    ],
    [
      'a Pod that is being replaced',
      { ...running, metadata: { deletionTimestamp: 'now' } },
      /is being replaced/,
      true,
    ],
  ])(
    'says what is wrong with %s, and whether to wait for it',
    async (_, pod, message, isExpectedBack) => {
      const cluster = new Cluster();
      cluster.objects.set('Pod reposure-surrogate-default-0', pod);
      const ready = {
        type: 'Ready',
        status: 'False',
        reason: 'PodNotReady',
        message: 'waiting for the Pod',
        lastTransitionTime: '',
      } as const;
      const route = await opened(cluster, { registry: registryOf({}, { conditions: [ready] }) });
      const failure = await failureOf(ping(route));
      expect(failure).toBeInstanceOf(UnreachableError);
      expect(failure).toMatchObject({ message: expect.stringMatching(message), isExpectedBack });
      expect(cluster.execs).toHaveLength(0);
    },
  );

  it('goes on without looking where Pods may not be seen', async () => {
    const { host } = await startRegistry();
    const cluster = new Cluster();
    cluster.args = [program, host];
    cluster.objects.set(
      'Pod reposure-surrogate-default-0',
      new KubernetesError('get Pod', { status: 403 }),
    );
    expect(await ping(await opened(cluster))).toBe(200);
  });

  it('refuses a registry that the operator could not resolve', async () => {
    const resolved = {
      type: 'Resolved',
      status: 'False',
      reason: 'ServiceNotFound',
      message: 'there is no Service x',
      lastTransitionTime: '',
    } as const;
    const failure = await failureOf(
      opened(new Cluster(), { registry: registryOf({}, { conditions: [resolved] }) }),
    );
    expect(failure).toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining(
        'there is no Service x; `reposure registry describe default -n ci`',
      ),
    });
  });

  it('says when the image is none of ours, and does not call it worth another try', async () => {
    const cluster = new Cluster();
    cluster.args = ['--eval', 'process.exit(127)'];
    const failure = await failureOf(ping(await opened(cluster)));
    expect(failure).toBeInstanceOf(SurrogateError);
    expect(failure).toMatchObject({
      isTransient: false,
      message: expect.stringMatching(/its image has no reposure-surrogate/),
    });
  });
});

describe('the direct route', () => {
  it.each([
    [
      'a dockerconfigjson Secret that names the host',
      (host: string) => ({
        metadata: { name: 's' },
        data: {
          '.dockerconfigjson': base64(
            JSON.stringify({ auths: { [host]: { username: 'u', password: 'p' } } }),
          ),
        },
      }),
    ],
    [
      'a labelled Secret',
      () => ({
        metadata: { name: 's', labels: { [registryLabel]: 'default' } },
        data: { username: base64('u'), password: base64('p') },
      }),
    ],
  ])('logs in with %s', async (_, secretOf) => {
    const { host } = await startRegistry(`Basic ${base64('u:p')}`);
    const cluster = new Cluster();
    cluster.objects.set('Secret s', secretOf(host));
    const registry = registryOf({ direct: { host }, insecure: true, loginSecret: 's' });
    const route = await opened(cluster, { registry, route: 'direct' });
    expect([await ping(route), route.via]).toEqual([200, 'direct']);
  });

  it('refuses a Secret that is neither for this host nor for this registry', async () => {
    const cluster = new Cluster();
    cluster.objects.set('Secret s', {
      metadata: { name: 's', namespace: 'ci' },
      data: { username: base64('u'), password: base64('hunter2') },
    });
    const registry = registryOf({
      direct: { host: '127.0.0.1:1' },
      insecure: true,
      loginSecret: 's',
    });
    const failure = await failureOf(opened(cluster, { registry, route: 'direct' }));
    expect(failure).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/Secret ci\/s: it names no host.*label/),
    });
    expect(String(failure)).not.toContain('hunter2');
  });

  it('does not read the login where plain HTTP was nobody’s decision', async () => {
    const { host } = await startRegistry();
    const warnings: string[] = [];
    const log = {
      debug: () => {},
      info: () => {},
      warn: (message: string) => void warnings.push(message),
    };
    const registry = registryOf(
      { provider: 'simple', loginSecret: 'not-there' },
      { pushHost: host },
    );
    const route = await opened(new Cluster(), { registry, route: 'direct', log });
    expect([await ping(route), warnings]).toEqual([
      200,
      [expect.stringContaining('no login is sent')],
    ]);
  });

  it.each([
    ['nothing', {}, /it is not there; want it under ca.crt or tls.crt/],
    ['no PEM', { 'ca.crt': base64('hello') }, /it is not PEM/],
    [
      'a private key only',
      { 'ca.crt': base64('-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----') },
      /it is not PEM/,
    ],
  ])('does not go on unverified with a Secret that holds %s', async (_, data, message) => {
    const cluster = new Cluster();
    cluster.objects.set('Secret ca', { metadata: { name: 'ca', namespace: 'ci' }, data });
    const registry = registryOf({ direct: { host: 'r:1' }, tlsSecret: 'ca' });
    expect(await failureOf(opened(cluster, { registry, route: 'direct' }))).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(message),
    });
  });
});

describe('the direct route to registries of clusters', () => {
  it.each(['minikube', 'microk8s', 'kind', 'k3d', 'local-registry'])(
    'speaks plain HTTP to what the operator found: %s',
    async (provider) => {
      const { host } = await startRegistry();
      const registry = registryOf({ provider: 'auto' }, { provider, pushHost: host });
      const route = await opened(new Cluster(), { registry, route: 'direct' });
      expect(await ping(route)).toBe(200);
    },
  );

  it('to OpenShift’s, trusts nothing before the service CA is there', async () => {
    const cluster = new Cluster();
    cluster.objects.set('ConfigMap reposure-surrogate-default-service-ca', {
      metadata: { name: 'reposure-surrogate-default-service-ca' },
    });
    const registry = registryOf(
      { provider: 'openshift' },
      { provider: 'openshift', pushHost: 'r' },
    );
    expect(await failureOf(opened(cluster, { registry, route: 'direct' }))).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('has not filled the ConfigMap'),
    });
  });

  it('to OpenShift’s, never speaks plain HTTP, whatever is written', async () => {
    const { host } = await startRegistry();
    const cluster = new Cluster();
    cluster.objects.set('ConfigMap reposure-surrogate-default-service-ca', {
      metadata: { name: 'reposure-surrogate-default-service-ca' },
      data: { 'service-ca.crt': rootCertificates[0] },
    });
    const spec = { provider: 'openshift', insecure: true };
    const registry = registryOf(spec, { provider: 'openshift', pushHost: host });
    const route = await opened(cluster, { registry, route: 'direct' });
    // A server of plain HTTP is not understood.
    expect(await failureOf(ping(route))).toMatchObject({ code: 'UNREACHABLE' });
  });
});

describe('the automatic route', () => {
  const kubeSystem = (uid: string): unknown => ({ metadata: { name: 'kube-system', uid } });

  it.each([
    ['outside a cluster', undefined, 'not inside a cluster'],
    ['inside another cluster', 'other', "inside another cluster than the registry's"],
  ])('is exec %s', async (_, uid, reason) => {
    const { host } = await startRegistry();
    const [cluster, own] = [new Cluster(), new Cluster()];
    cluster.objects.set('Namespace kube-system', kubeSystem('one'));
    own.objects.set('Namespace kube-system', kubeSystem(uid ?? ''));
    const registry = registryOf({ direct: { host }, insecure: true });
    const route = await opened(cluster, {
      registry,
      route: 'auto',
      ownCluster: async () => (uid === undefined ? undefined : own.client),
    });
    const noKey = 'Secret "reposure-surrogate-default-write-key" is not there';
    expect([route.via, route.reason]).toEqual([
      'exec',
      `${reason}; no key for the API server's proxy: ${noKey}`,
    ]);
  });

  it('is direct inside the registry’s own cluster', async () => {
    const { host } = await startRegistry();
    const [cluster, own] = [new Cluster(), new Cluster()];
    for (const one of [cluster, own]) one.objects.set('Namespace kube-system', kubeSystem('one'));
    const registry = registryOf({ direct: { host }, insecure: true });
    const route = await opened(cluster, {
      registry,
      route: 'auto',
      ownCluster: async () => own.client,
    });
    expect([route.via, await ping(route)]).toEqual(['direct', 200]);
  });

  it('is exec where the registry does not answer directly, and says why', async () => {
    const cluster = new Cluster();
    const registry = registryOf({ direct: { host: '127.0.0.1:1' }, insecure: true });
    const route = await opened(cluster, {
      registry,
      route: 'auto',
      ownCluster: async (known) => known,
    });
    expect(route.via).toBe('exec');
    expect(route.reason).toMatch(/does not answer directly: Cannot reach/);
  });

  it('costs one request to learn that there is no key', async () => {
    const cluster = new Cluster();
    const asked: string[] = [];
    cluster.get = async (type, name) => {
      asked.push(`${type.kind} ${name}`);
      throw new KubernetesError(`get ${type.kind}`, { status: 403 });
    };
    const route = await opened(cluster, { route: 'auto' });
    expect([route.via, asked]).toEqual(['exec', ['Secret reposure-surrogate-default-write-key']]);
  });

  it('ends with its signal, and not by exec', async () => {
    const cluster = new Cluster();
    const leaving = new AbortController();
    cluster.get = async () => {
      leaving.abort(new Error('enough'));
      throw leaving.signal.reason;
    };
    const failure = await failureOf(opened(cluster, { route: 'auto', signal: leaving.signal }));
    expect(failure).toBe(leaving.signal.reason);
  });
});

describe('the proxy route', () => {
  it.each([
    [403, 'is forbidden; want the Role that `reposure registry role default -n ci` prints'],
    [404, 'is not there; want it from an operator of this version'],
    [503, 'cannot be read: the API server says 503 (ServiceUnavailable); want one that answers'],
  ])('says what to do about a key whose Secret answers %d', async (status, message) => {
    const cluster = new Cluster();
    const secret = 'reposure-surrogate-default-write-key';
    cluster.objects.set(`Secret ${secret}`, new KubernetesError('get', { status }));
    cluster.get = async (type, name) => await cluster.find(type, name);
    const failure = await failureOf(opened(cluster, { route: 'proxy' }));
    expect(failure).toMatchObject({ code: 'CLUSTER_RESPONSE', isTransient: status === 503 });
    expect(String(failure)).toContain(`Secret "${secret}" ${message}`);
  });

  it('takes the key for writing where the one for reading is none of ours', async () => {
    const cluster = new Cluster();
    const asked: string[] = [];
    cluster.get = async (type, name) => {
      asked.push(name);
      if (name.endsWith('read-key')) throw new KubernetesError('get', { status: 403 });
      return { metadata: { name }, data: { key: base64('k') } };
    };
    const route = await opened(cluster, { route: 'proxy', access: 'read' });
    expect([route.via, route.reason]).toEqual(['proxy', 'asked for']);
    expect(asked).toEqual([
      'reposure-surrogate-default-read-key',
      'reposure-surrogate-default-write-key',
    ]);
  });
});
