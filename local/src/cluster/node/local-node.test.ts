import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { scriptImage, scriptPod, secret, startTestNode, statusOf } from './test/node.ts';
import type { TestNode } from './test/node.ts';

const never = new AbortController().signal;
const forever = 'setInterval(() => {}, 1000);';
const httpServer = `
  import http from 'node:http';
  const server = http.createServer((request, response) => response.end(process.env.ANSWER ?? 'hello'));
  server.listen(8080, () => console.log('listening on', server.address().address));
  process.on('SIGTERM', () => process.exit(0));
`;

let cluster: TestNode;
beforeEach(async () => {
  cluster = await startTestNode();
});
afterEach(async () => {
  await cluster.close();
});

const pod = (name: string) => cluster.store.peek('pods', 'default', name);
const statusNow = (name: string) => statusOf(pod(name));
const isReady = (name: string): boolean =>
  statusNow(name).conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ??
  false;
const eventsOf = (name: string): string[] =>
  cluster.store
    .peekAll('events')
    .filter((each) => (each['involvedObject'] as { name: string }).name === name)
    .map((each) => String(each['reason']));

async function logOf(name: string, previous = false): Promise<string> {
  const lines = cluster.node.backends.logs({
    namespace: 'default',
    pod: name,
    container: '',
    follow: false,
    tailLines: undefined,
    previous,
    signal: new AbortController().signal,
  });
  return Buffer.concat(await Array.fromAsync(lines)).toString('utf8');
}

async function exec(
  name: string,
  command: string[],
  input: Readable = Readable.from([]),
): Promise<{ exitCode: number; stdout: Buffer; stderr: string }> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const done = cluster.node.backends
    .exec(
      { namespace: 'default', pod: name, container: '', command, stdin: true, tty: false },
      { stdin: input, stdout, stderr, signal: new AbortController().signal },
    )
    .finally(() => {
      stdout.end();
      stderr.end();
    });
  const [exit, out, error] = await Promise.all([
    done,
    Array.fromAsync(stdout),
    Array.fromAsync(stderr),
  ]);
  return {
    ...exit,
    stdout: Buffer.concat(out as Buffer[]),
    stderr: Buffer.concat(error as Buffer[]).toString('utf8'),
  };
}

async function get(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host, port, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
  });
}

/** A zombie that nobody has waited for is not alive. */
function isAlive(processId: string | undefined): boolean {
  const path = `/proc/${processId?.replace('process://', '')}/stat`;
  return existsSync(path) && !/\) Z /.test(readFileSync(path, 'utf8'));
}

describe('a Pod', () => {
  it('runs, is ready, writes its log and says so in Events', async () => {
    cluster.store.create('pods', scriptPod('a', `console.log('up'); ${forever}`));
    await cluster.until(() => isReady('a'));
    await cluster.until(async () => (await logOf('a')).includes('up'));
    expect(statusNow('a')).toMatchObject({
      phase: 'Running',
      podIP: expect.stringMatching(/^127\./),
    });
    expect(eventsOf('a')).toEqual(
      expect.arrayContaining(['Scheduled', 'Pulled', 'Created', 'Started']),
    );
  });

  it('is refused an image that no program stands for, in a sentence', async () => {
    cluster.store.create('pods', scriptPod('a', '', { image: 'nginx:1' }));
    const waiting = await cluster.until(() => {
      const state = statusNow('a').containerStatuses?.[0]?.state['waiting'];
      return state?.message === undefined ? undefined : state;
    });
    expect(waiting.reason).toMatch(/ErrImagePull|ImagePullBackOff/);
    expect(waiting.message).toContain(`runs only these images: ${scriptImage}`);
    expect(statusNow('a').phase).toBe('Pending');
    expect(eventsOf('a')).toContain('Failed');
  });

  it('has only its own environment, with $(NAME) expanded and fields filled in', async () => {
    cluster.store.create('secrets', secret('s', { word: 'sesame' }));
    const env = [
      { name: 'WORD', valueFrom: { secretKeyRef: { name: 's', key: 'word' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'BOTH', value: '$(WORD)@$(IP)$(NONE)' },
    ];
    const script = `console.log(JSON.stringify([Object.keys(process.env), process.env.BOTH, process.argv.slice(1)]))`;
    const more = { env, args: ['--word=$(WORD)', '$$(WORD)'] };
    cluster.store.create('pods', scriptPod('a', script, more, { restartPolicy: 'Never' }));
    await cluster.until(() => statusNow('a').phase === 'Succeeded');
    const [names, both, argv] = JSON.parse(await logOf('a')) as [string[], string, string[]];
    expect(both).toBe(`sesame@${statusNow('a').podIP}$(NONE)`);
    expect(argv).toEqual(['--word=sesame', '$(WORD)']);
    const own = new Set(['PATH', 'HOME', 'TMPDIR', 'HOSTNAME', 'KUBECONFIG', 'WORD', 'IP', 'BOTH']);
    expect(names.filter((name) => !own.has(name) && !name.startsWith('REPOSURE_LOCAL_'))).toEqual(
      [],
    );
  });

  it('waits for a Secret that its environment names', async () => {
    const envFrom = [{ secretRef: { name: 'late' } }];
    cluster.store.create('pods', scriptPod('a', forever, { envFrom }));
    await cluster.until(
      () =>
        statusNow('a').containerStatuses?.[0]?.state['waiting']?.reason ===
        'CreateContainerConfigError',
    );
    cluster.store.create('secrets', secret('late', { A: '1' }));
    expect(await cluster.until(() => isReady('a'))).toBe(true);
  });

  it('is started again when it ends, later and later, and keeps the log of the run before', async () => {
    cluster.store.create('pods', scriptPod('a', `console.log('run'); process.exit(3);`));
    const status = await cluster.until(() => {
      const [found] = statusNow('a').containerStatuses ?? [];
      return found?.state['waiting']?.reason === 'CrashLoopBackOff' ? found : undefined;
    });
    expect(status).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 3 } } });
    expect(await logOf('a', true)).toBe('run\n');
    expect(eventsOf('a')).toContain('BackOff');
    expect(isReady('a')).toBe(false);
  });

  it('runs its init containers in order, and says which one failed', async () => {
    const init = (name: string, script: string) => ({
      name,
      image: scriptImage,
      command: ['script', script],
    });
    const initContainers = [init('one', ''), init('two', 'process.exit(4)'), init('three', '')];
    const more = { initContainers, restartPolicy: 'Never' };
    cluster.store.create('pods', scriptPod('a', forever, {}, more));
    await cluster.until(() => statusNow('a').phase === 'Failed');
    expect(pod('a')?.['status']).toMatchObject({
      initContainerStatuses: [
        { name: 'one', state: { terminated: { exitCode: 0 } } },
        { name: 'two', state: { terminated: { exitCode: 4 } } },
        { name: 'three', state: { waiting: {} } },
      ],
      containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
    });
  });

  it('is ready when its probe says so, and is killed when its liveness probe fails', async () => {
    const script = `
      import http from 'node:http';
      let answers = 0;
      http.createServer((request, response) => {
        response.statusCode = request.url === '/ready' || answers++ < 1 ? 200 : 500;
        response.end('not well');
      }).listen(8080);
    `;
    const ports = [{ name: 'web', containerPort: 8080 }];
    const readinessProbe = { httpGet: { path: '/ready', port: 'web' } };
    const livenessProbe = {
      httpGet: { path: '/live', port: 8080 },
      periodSeconds: 1,
      failureThreshold: 1,
    };
    cluster.store.create('pods', scriptPod('a', script, { ports, readinessProbe, livenessProbe }));
    await cluster.until(() => isReady('a'));
    await cluster.until(() => (statusNow('a').containerStatuses?.[0]?.restartCount ?? 0) > 0);
    expect(eventsOf('a')).toEqual(expect.arrayContaining(['Unhealthy', 'Killing']));
  });

  it('is not ready before an exec probe succeeds in its files', async () => {
    const mount = { name: 'flags', mountPath: '/flags' };
    const script = `
      import { writeFileSync } from 'node:fs';
      setTimeout(() => writeFileSync(process.argv[1] + '/up', ''), 300);
      ${forever}
    `;
    const readinessProbe = { exec: { command: ['test', '-e', '/flags/up'] } };
    const more = { args: ['/flags'], volumeMounts: [mount], readinessProbe };
    cluster.store.create(
      'pods',
      scriptPod('a', script, more, { volumes: [{ name: 'flags', emptyDir: {} }] }),
    );
    await cluster.until(() => isReady('a'));
    expect(eventsOf('a')).toContain('Unhealthy');
  });

  it('is asked to end, then killed, then gone with its folder', async () => {
    const script = `process.on('SIGTERM', () => console.log('no')); console.log('up'); ${forever}`;
    cluster.store.create('pods', scriptPod('a', script, {}, { terminationGracePeriodSeconds: 1 }));
    await cluster.until(async () => isReady('a') && (await logOf('a')).includes('up'));
    const { containerID } = statusNow('a').containerStatuses?.[0] ?? {};
    const { uid } = pod('a')?.metadata ?? { uid: '' };
    expect(isAlive(containerID)).toBe(true);
    cluster.store.delete('pods', 'default', 'a');
    expect(pod('a')?.metadata.deletionTimestamp).toBeDefined();
    await cluster.until(() => !pod('a'));
    expect(isAlive(containerID)).toBe(false);
    expect(existsSync(`${cluster.directory}/pods/${uid}`)).toBe(false);
  });

  it('takes the processes that it started with it', async () => {
    const script = `
      import { spawn } from 'node:child_process';
      console.log(spawn('sleep', ['1000'], { stdio: 'ignore' }).pid);
      ${forever}
    `;
    cluster.store.create('pods', scriptPod('a', script));
    const pid = await cluster.until(
      async () => isReady('a') && ((await logOf('a')).trim() || undefined),
    );
    expect(isAlive(pid)).toBe(true);
    cluster.store.delete('pods', 'default', 'a', { gracePeriodSeconds: 0 });
    await cluster.until(() => !isAlive(pid));
  });
});

describe('a listener in a Pod', () => {
  it('on all interfaces is on the address of the Pod', async () => {
    const forms = ['0', '{ port: 0 }', "0, '0.0.0.0', 5", "0, '::'", "'0'", '', "0, '127.0.0.1'"];
    const script = `
      import { once } from 'node:events';
      import net from 'node:net';
      for (const server of [${forms.map((form) => `net.createServer().listen(${form})`).join(', ')}]) {
        if (!server.listening) await once(server, 'listening');
        console.log(server.address().address);
        server.close();
      }
    `;
    cluster.store.create('pods', scriptPod('a', script, {}, { restartPolicy: 'Never' }));
    await cluster.until(() => statusNow('a').phase === 'Succeeded');
    const { podIP } = statusNow('a');
    const addresses = (await logOf('a')).trim().split('\n');
    expect(addresses).toEqual([podIP, podIP, podIP, podIP, podIP, podIP, '127.0.0.1']);
  });
});

describe('volumes', () => {
  it('show a Secret under the mapped path, and its changes at once', async () => {
    cluster.store.create('secrets', secret('s', { user: 'one', other: 'x' }));
    const volumes = [{ name: 'login', secret: { secretName: 's', defaultMode: 0o400 } }];
    const volumeMounts = [{ name: 'login', mountPath: '/etc/reposure/login' }];
    const script = `
      import { readdirSync, readFileSync, statSync } from 'node:fs';
      const [folder] = process.argv.slice(1).map((each) => each.replace('--login=', ''));
      console.log(readdirSync(folder).filter((name) => !name.startsWith('..')), (statSync(folder + '/user').mode & 0o777).toString(8));
      let last; setInterval(() => {
        const text = readFileSync(process.env.LOGIN + '/user', 'utf8');
        if (text !== last) console.log(text);
        last = text;
      }, 20);
    `;
    const more = {
      args: ['--login=/etc/reposure/login'],
      env: [{ name: 'LOGIN', value: '/etc/reposure/login' }],
      volumeMounts,
    };
    cluster.store.create('pods', scriptPod('a', script, more, { volumes }));
    await cluster.until(async () => isReady('a') && (await logOf('a')).includes('one'));
    const current = cluster.store.get('secrets', 'default', 's');
    cluster.store.update('secrets', {
      ...current,
      ...secret('s', { user: 'two' }),
      data: {},
    });
    await cluster.until(async () => (await logOf('a')).includes('two'));
    expect(await logOf('a')).toBe("[ 'other', 'user' ] 400\none\ntwo\n");
  });

  it('keep a Pod from starting until what they show is there', async () => {
    const volumes = [
      { name: 'c', configMap: { name: 'late', items: [{ key: 'k', path: 'd/f' }] } },
    ];
    const volumeMounts = [{ name: 'c', mountPath: '/conf' }];
    const script = `import { readFileSync } from 'node:fs'; console.log(readFileSync(process.argv[1], 'utf8')); ${forever}`;
    const more = { args: ['/conf/d/f'], volumeMounts };
    cluster.store.create('pods', scriptPod('a', script, more, { volumes }));
    await cluster.until(() => eventsOf('a').includes('FailedMount'));
    expect(statusNow('a')).toMatchObject({ phase: 'Pending' });
    cluster.store.create('configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'late', namespace: 'default' },
      data: { k: 'text' },
    });
    await cluster.until(async () => isReady('a') && (await logOf('a')) === 'text\n');
  });

  it('keep a claim from one Pod to the next', async () => {
    cluster.store.create('persistentvolumeclaims', {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'disk', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    const volumes = [{ name: 'disk', persistentVolumeClaim: { claimName: 'disk' } }];
    const volumeMounts = [{ name: 'disk', mountPath: '/disk' }];
    const script = `
      import { appendFileSync, readFileSync } from 'node:fs';
      appendFileSync(process.argv[1], 'x');
      console.log(readFileSync(process.argv[1], 'utf8'));
    `;
    for (const name of ['a', 'b']) {
      const more = { args: ['/disk/file'], volumeMounts };
      cluster.store.create(
        'pods',
        scriptPod(name, script, more, { volumes, restartPolicy: 'Never' }),
      );
      await cluster.until(() => statusNow(name).phase === 'Succeeded');
    }
    expect(await logOf('b')).toBe('xx\n');
    expect(
      cluster.store.peek('persistentvolumeclaims', 'default', 'disk')?.['status'],
    ).toMatchObject({
      phase: 'Bound',
    });
  });
});

describe('exec', () => {
  it('carries every byte both ways, and the exit code', async () => {
    cluster.store.create('pods', scriptPod('a', forever));
    await cluster.until(() => isReady('a'));
    const bytes = Buffer.alloc(8 * 1024 * 1024, 'reposure ');
    const echoed = await exec('a', ['cat'], Readable.from([bytes]));
    expect(echoed.stdout.equals(bytes)).toBe(true);
    expect(echoed.exitCode).toBe(0);
    const failed = await exec('a', ['sh', '-c', 'echo no >&2; exit 7']);
    expect(failed).toMatchObject({ exitCode: 7, stderr: 'no\n' });
  });

  it('lets the program run on when the client is gone: only its stdin ends', async () => {
    const volumes = [{ name: 'out', emptyDir: {} }];
    const volumeMounts = [{ name: 'out', mountPath: '/out' }];
    cluster.store.create('pods', scriptPod('a', forever, { volumeMounts }, { volumes }));
    await cluster.until(() => isReady('a'));
    const stdin = new PassThrough();
    const gone = new AbortController();
    const channels = {
      stdin,
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      signal: gone.signal,
    };
    const command = ['sh', '-c', 'cat; sleep 0.1; echo still here > "$0"', '/out/said'];
    const request = { namespace: 'default', pod: 'a', container: 'main', command };
    const done = cluster.node.backends.exec({ ...request, stdin: true, tty: false }, channels);
    stdin.write('x');
    gone.abort();
    expect((await done).exitCode).toBe(0);
    expect((await exec('a', ['cat', '/out/said'])).stdout.toString()).toBe('still here\n');
  });

  it('holds the program back while nobody reads, and loses nothing', async () => {
    cluster.store.create('pods', scriptPod('a', forever));
    await cluster.until(() => isReady('a'));
    const stdout = new PassThrough();
    const done = cluster.node.backends.exec(
      {
        namespace: 'default',
        pod: 'a',
        container: 'main',
        command: ['head', '-c', '67108864', '/dev/zero'],
        stdin: false,
        tty: false,
      },
      { stdin: Readable.from([]), stdout, stderr: new PassThrough(), signal: never },
    );
    await cluster.until(() => stdout.writableNeedDrain);
    await delay(200);
    expect(stdout.writableLength + stdout.readableLength).toBeLessThan(1024 * 1024);
    let size = 0;
    stdout.on('data', (bytes: Buffer) => (size += bytes.byteLength));
    expect(await done).toEqual({ exitCode: 0 });
    await cluster.until(() => size === 67_108_864);
  });

  it('ends with its Pod', async () => {
    cluster.store.create('pods', scriptPod('a', forever));
    await cluster.until(() => isReady('a'));
    const stdin = new PassThrough();
    const running = exec('a', ['sh', '-c', 'echo $$; exec sleep 1000'], stdin);
    cluster.store.delete('pods', 'default', 'a', { gracePeriodSeconds: 0 });
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(137);
    expect(isAlive(stdout.toString().trim() || '0')).toBe(false);
  });

  it('says what cannot be started', async () => {
    cluster.store.create('pods', scriptPod('a', forever));
    await cluster.until(() => isReady('a'));
    await expect(exec('a', ['no-such-program'])).rejects.toThrow(/no-such-program.*not found/);
    await expect(exec('b', ['true'])).rejects.toThrow(/default\/b/);
  });
});

describe('a Service', () => {
  const service = (name: string, spec: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { selector: { app: 'web' }, ports: [{ port: 8000, targetPort: 'http' }], ...spec },
  });
  const web = (name: string, answer: string) => {
    const more = {
      ports: [{ name: 'http', containerPort: 8080 }],
      env: [{ name: 'ANSWER', value: answer }],
      readinessProbe: { tcpSocket: { port: 'http' } },
    };
    const made = scriptPod(name, httpServer, more);
    return { ...made, metadata: { ...made.metadata, labels: { app: 'web' } } };
  };

  it('forwards to ready Pods, on its own address and on its node port', async () => {
    cluster.store.create('services', service('web', { type: 'NodePort' }));
    cluster.store.create('pods', web('a', 'a'));
    cluster.store.create('pods', web('b', 'b'));
    await cluster.until(() => isReady('a') && isReady('b'));
    const spec = (): { clusterIP?: string; ports: { nodePort?: number }[] } =>
      cluster.store.peek('services', 'default', 'web')?.['spec'] as ReturnType<typeof spec>;
    const { clusterIP = '' } = spec();
    const answers = new Set<string>();
    await cluster.until(async () => {
      answers.add(await get(clusterIP, 8000).catch(() => ''));
      return answers.has('a') && answers.has('b');
    });
    expect(await get('127.0.0.1', spec().ports[0]?.nodePort ?? 0)).toMatch(/^[ab]$/);
    for (const name of ['a', 'b']) cluster.store.delete('pods', 'default', name);
    await cluster.until(() => !pod('a') && !pod('b'));
    await cluster.until(() =>
      get(clusterIP, 8000).catch((error: Error) => /ECONNREFUSED/.test(error.message)),
    );
  });

  it('is found by its name from fetch(), node:http and dns.promises', async () => {
    cluster.store.create('services', service('web', {}));
    cluster.store.create('pods', web('a', 'found'));
    await cluster.until(() => isReady('a'));
    const script = `
      import { lookup } from 'node:dns/promises';
      import http from 'node:http';
      const get = (url) => new Promise((done, fail) => {
        http.get(url, (response) => response.on('data', (bytes) => done(String(bytes)))).on('error', fail);
      });
      const { address } = await lookup('web.default.svc.cluster.local');
      console.log(await (await fetch('http://web:8000')).text());
      console.log(await get('http://web.default.svc:8000'));
      console.log(await get('http://' + address + ':8000'));
    `;
    cluster.store.create('pods', scriptPod('client', script, {}, { restartPolicy: 'OnFailure' }));
    await cluster.until(() => statusNow('client').phase === 'Succeeded');
    expect(await logOf('client')).toBe('found\nfound\nfound\n');
  });

  it('is not found by a name that is not there', async () => {
    const script = `await fetch('http://nobody.default.svc').catch((e) => console.log(e.cause.code));`;
    cluster.store.create('pods', scriptPod('client', script, {}, { restartPolicy: 'Never' }));
    await cluster.until(() => statusNow('client').phase === 'Succeeded');
    expect(await logOf('client')).toBe('ENOTFOUND\n');
  });
});

describe('close()', () => {
  it('ends every process and leaves no folder of a Pod', async () => {
    const script = `process.on('SIGTERM', () => {}); console.log('up'); ${forever}`;
    for (const name of ['a', 'b']) cluster.store.create('pods', scriptPod(name, script));
    await cluster.until(async () => isReady('b') && (await logOf('b')).includes('up'));
    const ids = ['a', 'b'].map((name) => statusNow(name).containerStatuses?.[0]?.containerID);
    expect(ids.map(isAlive)).toEqual([true, true]);
    await cluster.node.close();
    expect(ids.map(isAlive)).toEqual([false, false]);
    expect(readdirSync(`${cluster.directory}/pods`)).toEqual([]);
    rmSync(cluster.directory, { recursive: true });
    cluster = await startTestNode();
  });
});
