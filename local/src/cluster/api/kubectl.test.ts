import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startTestCluster } from './test/cluster.ts';
import type { TestCluster } from './test/cluster.ts';

function findOnPath(name: string): string | undefined {
  const candidates = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const kubectl = findOnPath('kubectl');

const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, shortNames: [wg], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            x-kubernetes-validations:
            - {rule: '!(has(self.a) && has(self.b))', message: want a or b}
            properties:
              size: {type: integer, minimum: 1}
              color: {type: string, default: red}
              a: {type: string}
              b: {type: string}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
`;

const manifest = `
apiVersion: example.org/v1
kind: Widget
metadata: {name: w}
spec: {size: 3}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: one, image: 'a:1'}, {name: two, image: 'b:1'}]}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: cm}, data: {x: '1', gone: '2'}}
`;

const pod = `
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {nodeName: local, containers: [{name: c, image: 'x:1'}]}
`;

describe.skipIf(!kubectl)('kubectl', () => {
  let cluster: TestCluster;
  let home: string;

  beforeAll(async () => {
    cluster = await startTestCluster();
    home = await mkdtemp(join(tmpdir(), 'reposure-kubectl-'));
    await writeFile(join(home, 'kubeconfig'), cluster.kubeconfig, { mode: 0o600 });
    await run(['apply', '-f', '-'], widgets);
  }, 30_000);
  afterAll(async () => {
    await cluster?.close();
    await rm(home, { recursive: true, force: true });
  });

  /** Standard output and error, in the order of arrival at their ends; never throws. */
  function run(parameters: readonly string[], input: string | Buffer = ''): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const env = { HOME: home, KUBECONFIG: join(home, 'kubeconfig'), PATH: process.env['PATH'] };
    const options = { env, maxBuffer: 64 * 1024 * 1024, timeout: 20_000 };
    const child = execFile(kubectl ?? '', [...parameters], options, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    return promise;
  }

  it('applies twice without flags, with changed and removed fields', async () => {
    await run(['apply', '-f', '-'], manifest);
    const changed = manifest.replace("b:1'}", "b:2'}").replace(", gone: '2'", '').replace('3', '4');
    expect(await run(['apply', '-f', '-'], changed)).toBe(
      'widget.example.org/w configured\ndeployment.apps/web configured\nconfigmap/cm configured\n',
    );
    expect(await run(['apply', '-f', '-'], changed)).toMatch(/(unchanged\n){1,}$/);
    const images = 'jsonpath={.spec.template.spec.containers[*].image} {.metadata.generation}';
    expect(await run(['get', 'deploy', 'web', '-o', images])).toBe('a:1 b:2 2');
    expect(await run(['get', 'cm', 'cm', '-o', 'jsonpath={.data}'])).toBe('{"x":"1"}');
  }, 30_000);

  it('shows our columns, and waits for what a status says', async () => {
    await run(['apply', '--server-side', '-f', '-'], manifest);
    const status = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}';
    await run(['patch', 'wg', 'w', '--subresource=status', '--type=merge', '-p', status]);
    const table = await run(['get', 'wg']);
    expect(table).toMatch(/^NAME +SIZE +READY\nw +\d +True\n$/);
    expect(await run(['wait', '--for=condition=Ready', 'wg/w', '--timeout=5s'])).toContain(
      'condition met',
    );
  }, 30_000);

  it.each([
    ['an unknown field', '{size: 1, typo: 1}', 'unknown field "spec.typo"'],
    ['a wrong type', '{size: x}', 'spec.size in body must be of type integer: "string"'],
    ['a missing field', '{}', 'spec.size: Required value'],
    ['a broken rule', '{size: 1, a: x, b: w}', 'want a or b'],
  ])('is told of %s', async (_, spec, message) => {
    const object = `apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: bad}\nspec: ${spec}\n`;
    expect(await run(['apply', '-f', '-'], object)).toContain(message);
  });

  it('creates with its own encoding, and is held to RBAC', async () => {
    await run(['create', 'serviceaccount', 'viewer']);
    await run(['create', 'role', 'r', '--verb=get', '--resource=pods']);
    await run(['create', 'rolebinding', 'b', '--role=r', '--serviceaccount=default:viewer']);
    const as = '--as=system:serviceaccount:default:viewer';
    expect(await run(['auth', 'can-i', 'get', 'pods', as])).toBe('yes\n');
    expect(await run(['auth', 'can-i', 'list', 'pods', as])).toBe('no\n');
    expect(await run(['get', 'secrets', as])).toContain(
      'secrets is forbidden: User "system:serviceaccount:default:viewer" cannot list resource "secrets" in API group "" in the namespace "default"',
    );
    await run(['create', 'secret', 'generic', 's', '--from-literal=k=v']);
    expect(await run(['get', 'secret', 's', '-o', 'jsonpath={.data.k}'])).toBe('dg==');
  }, 30_000);

  it('executes with exit status and every byte, reads logs, describes', async () => {
    await run(['create', '-f', '-'], pod);
    expect(await run(['exec', 'p', '--', 'hello'])).toBe('hello\n');
    expect(await run(['exec', 'p', '--', 'fail'])).toContain('command terminated with exit code 3');
    const text = 'x'.repeat(1_000_000);
    expect((await run(['exec', '-i', 'p', '--', 'cat'], text)) === text).toBe(true);
    expect(await run(['exec', 'none', '--', 'x'])).toContain('pods "none" not found');
    expect(await run(['logs', 'p'])).toBe('first line of p\nsecond line\n');
    expect(await run(['describe', 'pod', 'p'])).toContain('QoS Class');
  }, 30_000);

  it('deletes a namespace with everything in it', async () => {
    await run(['create', 'namespace', 'gone']);
    await run(['create', '-n', 'gone', 'configmap', 'c']);
    await run(['delete', 'namespace', 'gone', '--timeout=10s']);
    expect(
      cluster.store.everything().some(({ object }) => object.metadata.namespace === 'gone'),
    ).toBe(false);
    expect(await run(['create', '-n', 'gone', 'configmap', 'c'])).toContain(
      'namespaces "gone" not found',
    );
  }, 30_000);
});
