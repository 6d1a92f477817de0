import { setTimeout as delay } from 'node:timers/promises';

import { resourceTypes } from '@reposure/core/kubernetes';
import { conditionOf, registryCrd } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import type { EmbeddedWorld } from '../support/embedded-world.ts';
import { missingImage } from '../support/in-process-operator.ts';
import { startOperatorProcess } from '../support/operator-process.ts';
import type { OperatorProcess } from '../support/operator-process.ts';
import { startRelay } from '../support/relay.ts';
import type { Relay } from '../support/relay.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { UserShell } from '../support/user-shell.ts';

/** Longer than the 15 s of a Lease; `REPOSURE_OUTAGE_S=60` for the minute of a control plane's update. */
const outageMs = Number(process.env['REPOSURE_OUTAGE_S'] ?? 20) * 1000;

describe('an API that is gone for a while', { timeout: outageMs + 120_000 }, () => {
  let world: EmbeddedWorld;
  let place: UserShell;
  let relay: Relay;
  const over = new AbortController();
  let operator: OperatorProcess;
  let ends = 0;

  /** As the kubelet does: it is started again whenever it ends. */
  async function keepRunning(env: Record<string, string>): Promise<void> {
    while (!over.signal.aborted) {
      operator = await startOperatorProcess(env, `--image=${missingImage}`, '--identity=x');
      await operator.ended;
      ends += 1;
      await delay(500);
    }
  }

  const pushHostBecomes = (host: string): Promise<void> =>
    vi.waitFor(
      async () => {
        const { kubernetes, namespace } = place;
        const found = await kubernetes.get<Registry>(resourceTypes.Registry, 'default', namespace);
        expect(found.status?.pushHost).toBe(host);
        expect(conditionOf(found, 'Ready')?.observedGeneration).toBe(found.metadata.generation);
      },
      { timeout: 60_000, interval: 250 },
    );

  beforeAll(async () => {
    world = await startEmbeddedWorld();
    place = await openUserShell({ env: world.env, namespace: 'outage' });
    const { kubernetes } = place;
    await kubernetes.apply(registryCrd());
    const served = () => kubernetes.list(resourceTypes.Registry, { namespace: place.namespace });
    await vi.waitFor(served, { timeout: 20_000, interval: 200 });
    relay = await startRelay(new URL(world.cluster.url).host);
    const server = { url: `https://${relay.host}`, caPem: world.cluster.caPem };
    const kubeconfig = await place.kubeconfigOf('relayed', { server });
    void keepRunning({ ...place.env, KUBECONFIG: kubeconfig });
    await kubernetes.create(registryTo('before.test', place));
    await pushHostBecomes('before.test');
  });

  afterAll(async () => {
    over.abort();
    await operator?.stop();
    await relay?.close();
    await place?.close();
    await world?.close();
  });

  it('ends the leader in time, and what changed meanwhile is done when it is back', async () => {
    const first = operator;
    relay.cutFor(outageMs);
    await place.kubernetes.apply(registryTo('meanwhile.test', place));
    await delay(outageMs);
    expect(first.said).toMatch(/another may lead/);
    expect(ends).toBe(1);
    await pushHostBecomes('meanwhile.test');
    // Whoever waits for the API to come back waits: it does not end again and again.
    expect(ends).toBe(1);
  });

  it('shorter than the Lease, nobody ends, and nothing is missed', async () => {
    relay.cutFor(3000);
    await place.kubernetes.apply(registryTo('blink.test', place));
    await pushHostBecomes('blink.test');
    expect(ends).toBe(1);
  });
});

function registryTo(host: string, { namespace }: UserShell): Registry {
  return {
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name: 'default', namespace },
    spec: { type: 'oci', direct: { host } },
  };
}
