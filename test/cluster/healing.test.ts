import { randomBytes } from 'node:crypto';

import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesObject } from '@reposure/core/kubernetes';
import { conditionOf, names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { itHealsAnExpiredCertificate } from '../e2e/expired-certificate.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { UserShell } from '../support/user-shell.ts';

const { KUBECONFIG = '' } = process.env;
const pod = names.surrogatePod('default');
const patiently = { timeout: 110_000, interval: 500 };

interface Event extends KubernetesObject {
  reason: string;
}

describe('real cluster, healing', { timeout: 240_000 }, () => {
  let place: UserShell;

  const uidOf = async (): Promise<string | undefined> =>
    (await place.kubernetes.find(resourceTypes.Pod, pod, place.namespace))?.metadata.uid;
  const readyOf = async () => {
    const { kubernetes, namespace } = place;
    const found = await kubernetes.get<Registry>(resourceTypes.Registry, 'default', namespace);
    return conditionOf(found, 'Ready');
  };
  const isAnother = async (uid: string | undefined): Promise<boolean> => {
    const found = await uidOf();
    return found !== undefined && found !== uid && (await readyOf())?.status === 'True';
  };
  const push = (): Promise<string> => place.ok('reposure image push default team/hello hello.txt');

  beforeAll(async () => {
    const namespace = `reposure-healing-${randomBytes(4).toString('hex')}`;
    place = await openUserShell({ env: { KUBECONFIG }, namespace });
    await Promise.all([
      place.ok('reposure operator install --wait'),
      place.ok('reposure simple install --tls --login --wait'),
    ]);
    await place.ok('reposure registry create default --provider=simple --wait');
    await place.ok('echo hello > hello.txt');
  });

  afterAll(() => place?.close());

  it('a surrogate that is evicted through the API comes back, and pushes meanwhile arrive', async () => {
    const { namespace, ok } = place;
    const before = await uidOf();
    const eviction = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: pod, namespace },
    };
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`;
    await ok(`kubectl create --raw ${path} -f -`, Buffer.from(JSON.stringify(eviction)));
    await push();
    await expect.poll(() => isAnother(before), patiently).toBe(true);
    await push();
  });

  it('a surrogate that the kubelet evicts comes back', { timeout: 240_000 }, async () => {
    const { kubernetes, namespace, ok } = place;
    const before = await uidOf();
    // More than its temporary files may be: the kubelet looks after them every one to two minutes.
    const fill = 'fs.writeFileSync("/tmp/much", Buffer.alloc(100 << 20, 1))';
    await ok(`kubectl exec ${pod} -- node -e '${fill}'`);
    await expect.poll(() => isAnother(before), { ...patiently, timeout: 200_000 }).toBe(true);
    await push();
    const { items } = await kubernetes.list<Event>(resourceTypes.Event, { namespace });
    expect(items.map(({ reason }) => reason)).toContain('Evicted');
  });

  it('without the operator, what there is goes on working; installed again, it takes up its work', async () => {
    const { ok } = place;
    await ok('kubectl delete deployment reposure-operator --wait');
    const before = await uidOf();
    await ok(`kubectl delete pod ${pod} --wait`);
    await push();
    await ok('reposure operator install --wait');
    await expect.poll(() => isAnother(before), patiently).toBe(true);
    await push();
  });

  it('a registry whose Deployment is gone is said not to answer, and heals when it is installed again', async () => {
    const { ok } = place;
    await ok('kubectl delete deployment reposure-simple --wait');
    await vi.waitFor(async () => {
      expect(await readyOf()).toMatchObject({ status: 'False', reason: 'NoAnswer' });
    }, patiently);
    await ok('reposure simple install --tls --login --wait');
    await vi.waitFor(
      async () => expect(await readyOf()).toMatchObject({ status: 'True' }),
      patiently,
    );
    await push();
  });

  itHealsAnExpiredCertificate(() => place);
});
