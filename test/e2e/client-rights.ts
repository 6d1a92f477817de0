import { clientRights, ruleOf } from '@reposure/core/install';
import type { ClientUse, Right } from '@reposure/core/install';
import { describe, expect, it } from 'vitest';

import { hasTool } from '../support/tools.ts';
import type { UserShell } from '../support/user-shell.ts';

const rbac = 'rbac.authorization.k8s.io';
const uses: readonly ClientUse[] = ['pull', 'push', 'exec'];

/** What somebody does with each Role; `NAME` is a repository and a file that nobody else has. */
const lines: Readonly<Record<ClientUse, readonly string[]>> = {
  pull: ['image pull secure rights/there:1 --unpack --to NAME --route=proxy'],
  push: [
    'image push secure rights/NAME:1 NAME.bin --route=proxy',
    'image delete secure rights/NAME:1 --route=proxy',
  ],
  exec: ['image push secure rights/NAME:1 NAME.bin --route=exec'],
};

/** What only errors need: the right to see the Pod tells why it does not run. */
const explaining: Readonly<Record<ClientUse, readonly string[]>> = {
  pull: [],
  push: [],
  exec: ['get pods'],
};

/** Every verb of the Roles that `registry role` prints is needed, and all together are enough. */
export function describeClientRights(place: () => UserShell): void {
  describe.skipIf(!hasTool('kubectl'))('each verb of the printed Roles (needs kubectl)', () => {
    it.each(uses)('is needed: %s', { timeout: 120_000 }, async (use) => {
      await place().ok('echo there > there.txt');
      await place().ok('reposure image push secure rights/there:1 there.txt');
      const rights = clientRights('secure', use);
      expect(await refusalOf(place(), use, rights)).toBeUndefined();
      const needless = await Promise.all(
        rights.flatMap((right, index) =>
          right.verbs.map(async (verb) => {
            const fewer = { ...right, verbs: right.verbs.filter((each) => each !== verb) };
            const refusal = await refusalOf(place(), use, rights.with(index, fewer));
            return refusal === undefined ? [`${verb} ${right.resources.join()}`] : [];
          }),
        ),
      );
      expect(needless.flat()).toEqual(explaining[use]);
    });
  });
}

let somebodies = 0;

/** The first refusal that somebody meets with these rights alone; any other failure is the test's. */
async function refusalOf(
  place: UserShell,
  use: ClientUse,
  rights: readonly Right[],
): Promise<string | undefined> {
  somebodies += 1;
  const name = `rights-${use}-${somebodies}`;
  const as = `--kubeconfig=${await become(place, name, rights)}`;
  await place.ok(`head -c 300000 /dev/urandom > ${name}.bin`);
  for (const line of lines[use]) {
    const { status, stderr } = await place.run(`reposure ${as} ${line.replaceAll('NAME', name)}`);
    if (status === 0) continue;
    expect(stderr).toMatch(/forbidden/i);
    return stderr;
  }
  return undefined;
}

async function become(
  { kubernetes, namespace, ok, kubeconfigOf }: UserShell,
  name: string,
  rights: readonly Right[],
): Promise<string> {
  const metadata = { name, namespace };
  const apiVersion = `${rbac}/v1`;
  for (const object of [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion, kind: 'Role', metadata, rules: rights.map(ruleOf).filter(hasVerbs) },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ]) {
    await kubernetes.create(object);
  }
  const token = (await ok(`kubectl create token ${name}`)).trim();
  return kubeconfigOf(name, { token });
}

/** The API takes no rule without a verb. */
function hasVerbs({ verbs }: { readonly verbs: readonly string[] }): boolean {
  return verbs.length > 0;
}
