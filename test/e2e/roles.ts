import { wakeKubelets } from '@reposure/core/install';
import { resourceTypes } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';
import { describe, expect, it } from 'vitest';

import { hasTool } from '../support/tools.ts';
import type { UserShell } from '../support/user-shell.ts';

/** What the Roles that `registry role` prints allow in a namespace with a Registry `secure`, and what not. */
export function describeRoles(place: () => UserShell): void {
  describe.skipIf(!hasTool('kubectl'))('the printed Roles, and their keys (needs kubectl)', () => {
    it('by exec: push and pull, and nothing else', async () => {
      const { ok } = place();
      const as = await somebodyWith(place(), '--exec', names.execRole('secure'));
      await ok(`reposure ${as} image push secure team/pushed:1 hello.txt --route=exec`);
      const pulled = await ok(`reposure ${as} image pull secure team/pushed:1 --unpack`);
      expect(pulled).toBe('hello\n');
      await expectRefused(place(), [
        ...whatNobodyMay(as),
        `reposure ${as} registry list`,
        `reposure ${as} registry info secure password`,
        `kubectl ${as} get secret ${names.readKey('secure')}`,
        `kubectl ${as} get --raw ${gatewayOf(place())}/v2/`,
      ]);
    });

    it('by proxy, to push: push, pull and delete without exec, which is what auto takes', async () => {
      const { ok } = place();
      const as = await somebodyWith(place(), '--push', names.pushRole('secure'));
      const pushed = await ok(`reposure ${as} image push secure team/proxied:1 hello.txt -o json`);
      expect(JSON.parse(pushed)).toMatchObject({ route: { via: 'proxy' } });
      const pulled = await ok(
        `reposure ${as} image pull secure team/proxied:1 --unpack --route=proxy`,
      );
      expect(pulled).toBe('hello\n');
      await ok(`reposure ${as} image delete secure team/proxied:1 --route=proxy`);
      await expectRefused(place(), [
        ...whatNobodyMay(as),
        `reposure ${as} registry rotate-keys secure`,
        `kubectl ${as} exec ${names.surrogatePod('secure')} -- true`,
        `kubectl ${as} get secret ${names.readKey('secure')}`,
      ]);
    });

    it('by proxy, to pull: pull, and no push', async () => {
      const { ok, run } = place();
      await ok('reposure image push secure team/hello:3 hello.txt');
      const as = await somebodyWith(place(), '--pull', names.pullRole('secure'));
      const pulled = await ok(
        `reposure ${as} image pull secure team/hello:3 --unpack --route=proxy`,
      );
      expect(pulled).toBe('hello\n');
      const push = `reposure ${as} image push secure team/hello:4 hello.txt`;
      expect(await run(push)).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/registry role secure/),
      });
      expect(await ok('reposure image list secure')).not.toContain('team/hello:4');
      const gateway = gatewayOf(place());
      await expectRefused(place(), [
        ...whatNobodyMay(as),
        `kubectl ${as} get secret ${names.writeKey('secure')}`,
        `kubectl ${as} create --raw ${gateway}/v2/team/hello/blobs/uploads/ -f /dev/null`,
        `kubectl ${as} delete --raw ${gateway}/v2/team/hello/manifests/3`,
        // Another spelling of the same gateway.
        `kubectl ${as} get --raw ${gateway.replace(':gateway', ':8443')}/v2/`,
      ]);
    });

    it('a request without a signature gets nothing, whoever it is', async () => {
      const gateway = gatewayOf(place());
      const answer = await place().run(`kubectl get --raw ${gateway}/v2/_catalog`);
      expect(answer.status).toBe(1);
      expect(answer.stdout.toString()).toBe('');
    });

    it('a key that is rotated or deleted ends no push, and restarts no Pod', async () => {
      const { ok, run, kubernetes, namespace } = place();
      const pod = async (): Promise<string | undefined> =>
        (await kubernetes.get(resourceTypes.Pod, names.surrogatePod('secure'), namespace)).metadata
          .uid;
      const before = await pod();
      const push = 'reposure image push secure team/hello:5 hello.txt --route=proxy';
      await ok('reposure registry rotate-keys secure');
      // At once: the Pod learns of the new key when the kubelet gets to it.
      await ok(push);
      await ok(`kubectl delete secret ${names.writeKey('secure')}`);
      await ok('kubectl annotate registry secure looked-at=again');
      const { Secret } = resourceTypes;
      const isBack = () => kubernetes.find(Secret, names.writeKey('secure'), namespace);
      await expect.poll(isBack, { timeout: 30_000 }).toBeDefined();
      // Or its kubelet hands it over at its next round.
      await wakeKubelets(kubernetes, namespace);
      await expect
        .poll(async () => (await run(push)).status, { timeout: 180_000, interval: 500 })
        .toBe(0);
      expect(await pod()).toBe(before);
    }, 240_000);

    it('come as documents, as one Role, as a List, and as names', async () => {
      const { ok } = place();
      const role = 'reposure registry role secure';
      const created = 'kubectl create --dry-run=client -o name -f -';
      expect(await ok(`${role} | ${created}`)).toBe(namesOf('push', 'exec'));
      expect(await ok(`${role} -o yaml | ${created}`)).toBe(namesOf('push', 'exec'));
      expect(await ok(`${role} --pull --exec -o name`)).toBe(namesOf('pull', 'exec'));
      expect(JSON.parse(await ok(`${role} --pull -o json`))).toMatchObject({ kind: 'Role' });
    });
  });
}

const namesOf = (...uses: readonly string[]): string =>
  uses.map((use) => `role.rbac.authorization.k8s.io/reposure-${use}-secure\n`).join('');

/** A ServiceAccount that has one Role and nothing else. @returns How to be it. */
async function somebodyWith(
  { ok, namespace, kubeconfigOf }: UserShell,
  option: string,
  role: string,
): Promise<string> {
  const name = `has-${role}`;
  await ok(`reposure registry role secure ${option} | kubectl apply -f -`);
  await ok(`kubectl create serviceaccount ${name}`);
  await ok(
    `kubectl create rolebinding ${name} --role=${role} --serviceaccount=${namespace}:${name}`,
  );
  const token = (await ok(`kubectl create token ${name}`)).trim();
  return `--kubeconfig=${await kubeconfigOf(name, { token })}`;
}

function whatNobodyMay(as: string): string[] {
  return [
    `kubectl ${as} exec deployment/${names.operator} -- true`,
    `kubectl ${as} get secret ${names.simpleLogin}`,
    `kubectl ${as} get secrets`,
    `kubectl ${as} get pods`,
    `kubectl ${as} get registries`,
    `kubectl ${as} delete registry secure`,
  ];
}

async function expectRefused({ run }: UserShell, lines: readonly string[]): Promise<void> {
  const answers = await Promise.all(
    lines.map(async (line) => Object.assign(await run(line), { line })),
  );
  for (const answer of answers) {
    const stderr = expect.stringMatching(/forbidden/i);
    expect(answer).toMatchObject({ line: answer.line, status: 1, stderr });
  }
}

function gatewayOf({ namespace }: UserShell): string {
  const service = `https:${names.surrogate('secure')}:${names.gatewayPort}`;
  return `/api/v1/namespaces/${namespace}/services/${service}/proxy`;
}
