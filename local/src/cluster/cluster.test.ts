import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster } from './cluster.ts';
import type { LocalCluster } from './cluster.ts';

const image = 'ghcr.io/reposure/reposure:test';
const hasKubectl = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'kubectl')));

/** Says what it is called, then does as told: as our own program would. */
const script = `#!/usr/bin/env node
import https from 'node:https';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import 'yaml';
import { parse } from 'yaml';
console.log('I am', basename(process.argv[1]), process.argv.slice(2).join(' '));
if (process.argv[2] === 'whoami') {
  const { clusters, users } = parse(readFileSync(process.env.KUBECONFIG, 'utf8'));
  const ca = Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64');
  const headers = { authorization: 'Bearer ' + users[0].user.token, 'content-type': 'application/json' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const request = https.request(clusters[0].cluster.server + path, { method: 'POST', ca, headers }, (response) => {
    let text = '';
    response.on('data', (chunk) => (text += chunk));
    response.on('end', () => console.log(JSON.parse(text).status.userInfo.username));
  });
  request.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }));
} else if (process.argv[2] === 'echo') {
  process.stdin.pipe(process.stdout);
} else setInterval(() => {}, 1000);
`;

const manifest = `
apiVersion: v1
kind: Namespace
metadata: { name: work }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: worker, namespace: work }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: own, namespace: work }
spec:
  replicas: 1
  selector: { matchLabels: { app: own } }
  template:
    metadata: { labels: { app: own } }
    spec:
      serviceAccountName: worker
      terminationGracePeriodSeconds: 1
      containers: [{ name: own, image: "${image}", command: [reposure-operator], args: [whoami] }]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: surrogate, namespace: work }
spec:
  replicas: 1
  serviceName: surrogate
  selector: { matchLabels: { app: surrogate } }
  template:
    metadata: { labels: { app: surrogate } }
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      containers: [{ name: surrogate, image: "${image}", command: [reposure-surrogate], args: [serve] }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: registry, namespace: work }
spec:
  selector: { matchLabels: { app: registry } }
  template:
    metadata: { labels: { app: registry } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: registry
          image: registry:3
          args: [serve, /etc/distribution/config.yml]
          ports: [{ name: registry, containerPort: 5000 }]
          readinessProbe: { httpGet: { path: /v2/, port: registry } }
---
apiVersion: v1
kind: Service
metadata: { name: registry, namespace: work }
spec:
  selector: { app: registry }
  ports: [{ port: 5000, targetPort: registry }]
`;

let folder: string;
let cluster: LocalCluster;

beforeAll(async () => {
  // Inside of the workspace, where the script finds the packages that it imports.
  folder = mkdtempSync(join(import.meta.dirname, '.test-'));
  writeFileSync(join(folder, 'reposure.mjs'), script);
  cluster = await startCluster({ program: { image, script: join(folder, 'reposure.mjs') } });
  writeFileSync(join(folder, 'kubeconfig'), cluster.kubeconfig, { mode: 0o600 });
});
afterAll(async () => {
  await cluster.close();
  rmSync(folder, { recursive: true, force: true });
});

function kubectl(
  parameters: readonly string[],
  input?: string | Buffer,
): Promise<{ stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder };
  const options = { env, maxBuffer: 64 * 1024 * 1024 };
  const kubeconfig = `--kubeconfig=${join(folder, 'kubeconfig')}`;
  const running = promisify(execFile)('kubectl', [kubeconfig, ...parameters], options);
  running.child.stdin?.end(input ?? '');
  return running;
}

describe.skipIf(!hasKubectl)('the embedded cluster, with kubectl', { timeout: 60_000 }, () => {
  it('rolls out workloads, and our program knows its name and who it is', async () => {
    await kubectl(['apply', '-f', '-'], manifest);
    await kubectl(['rollout', 'status', '-n', 'work', 'statefulset/surrogate', '--timeout=30s']);
    await kubectl(['rollout', 'status', '-n', 'work', 'deployment/registry', '--timeout=30s']);
    const logs = await kubectl(['logs', '-n', 'work', 'surrogate-0']);
    expect(logs.stdout).toBe('I am reposure-surrogate serve\n');
    const pods = await kubectl(['get', 'pods', '-n', 'work', '-l', 'app=own', '-o', 'name']);
    await expect
      .poll(async () => (await kubectl(['logs', '-n', 'work', pods.stdout.trim()])).stdout, {
        timeout: 30_000,
      })
      .toBe('I am reposure-operator whoami\nsystem:serviceaccount:work:worker\n');
  });

  it('execs with standard input to the last byte', async () => {
    const bytes = Buffer.alloc(4 * 1024 * 1024, 'abcdefg ');
    const command = ['exec', '-i', '-n', 'work', 'surrogate-0', '--', 'reposure-surrogate', 'echo'];
    const { stdout } = await kubectl(command, bytes);
    expect(stdout).toBe(`I am reposure-surrogate echo\n${bytes.toString()}`);
  });

  it('describes a Pod with its Events, and shows Services with addresses', async () => {
    const described = await kubectl(['describe', 'pod', '-n', 'work', 'surrogate-0']);
    for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) {
      expect(described.stdout).toContain(reason);
    }
    const services = await kubectl(['get', 'services', '-n', 'work']);
    expect(services.stdout).toMatch(/registry +ClusterIP +127\.\d+\.\d+\.\d+ /);
  });

  it('serves a registry behind a Service', async () => {
    const jsonpath = 'jsonpath={.spec.clusterIP}';
    const address = await kubectl(['get', 'service', '-n', 'work', 'registry', '-o', jsonpath]);
    const response = await fetch(`http://${address.stdout}:5000/v2/`);
    expect(response.status).toBe(200);
  });

  it('ends what is deleted', async () => {
    await kubectl(['delete', 'namespace', 'work', '--timeout=30s']);
    expect(cluster.store.peekAll('pods')).toEqual([]);
    expect(readdirSync(join(cluster.directory, 'pods'))).toEqual([]);
  });
});

describe('startCluster()', () => {
  const program = { image, script: '/nowhere/reposure.js' };

  it('leaves nothing behind when it is closed', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'reposure-test-'));
    const other = await startCluster({ program, directory: parent });
    expect(readdirSync(parent)).toHaveLength(1);
    await other.close();
    expect(readdirSync(parent)).toEqual([]);
    await expect(fetch(other.url)).rejects.toThrow('fetch failed');
    rmSync(parent, { recursive: true });
  });

  it('takes everything back when it is told to stop while it starts', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'reposure-test-'));
    const reason = new Error('enough');
    const starting = startCluster({
      program,
      directory: parent,
      signal: AbortSignal.abort(reason),
    });
    await expect(starting).rejects.toBe(reason);
    expect(readdirSync(parent)).toEqual([]);
    rmSync(parent, { recursive: true });
  });
});
