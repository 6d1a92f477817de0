import { setTimeout as delay } from 'node:timers/promises';

import { version } from '@reposure/core';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import { conditionOf, names, registryCrd } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { startEmbeddedWorld } from '../support/embedded-world.ts';
import { startOperatorProcess } from '../support/operator-process.ts';
import type { OperatorProcess } from '../support/operator-process.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { UserShell } from '../support/user-shell.ts';

/** `KUBECONFIG` of a real cluster, else the embedded one. */
const { KUBECONFIG, REPOSURE_REGISTRIES = '1000', REPOSURE_SURROGATES = '50' } = process.env;
const suspended = Number(REPOSURE_REGISTRIES);
const running = Number(REPOSURE_SURROGATES);
const namespaces = Array.from({ length: 50 }, (_, index) => `reposure-soak-${index}`);
const maxMiB = 200;
const idleSeconds = 45;
/** In ten seconds: twice what the Registries themselves ask for. */
const calmReconciles = 2 * (suspended / 60 + running / 3);

/**
 * Many Registries in many namespaces, one operator as a process of this machine. What it costs is
 * printed.
 */
describe('one operator for many Registries', () => {
  const closers: (() => Promise<unknown>)[] = [];
  let place: UserShell;
  let operator: OperatorProcess;

  beforeAll(async () => {
    const env = await clusterEnv(closers);
    place = await openUserShell({ env, namespace: 'reposure-soak' });
    const { kubernetes } = place;
    await kubernetes.apply(registryCrd());
    await vi.waitFor(() => kubernetes.list(resourceTypes.Registry), { timeout: 20_000 });
    await place.ok('reposure simple install --wait');
    for (const name of namespaces) {
      await kubernetes.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
    const image = `--image=${names.image(version)}`;
    operator = await startOperatorProcess(place.env, '--all-namespaces', image);
    closers.push(() => operator.stop());
    await vi.waitUntil(() => operator.said.includes('Leading'), { timeout: 30_000 });
  });

  afterAll(async () => {
    for (const close of closers.toReversed()) await close();
    for (const name of namespaces) {
      await place.kubernetes.delete(resourceTypes.Namespace, name).catch(() => false);
    }
    await place.close().catch(() => {});
  });

  it(`settles ${suspended} that are suspended, under ${maxMiB} MiB, and is idle afterwards`, async () => {
    const started = await costOf(operator);
    const startedAtMs = performance.now();
    await inTurns(suspended, (index) => create(place, `suspended-${index}`, index, 0));
    await settled(place.kubernetes, suspended, 'Suspended', 300_000);
    const cost = differenceOf(await costOf(operator), started);
    print(`${suspended} suspended`, cost, (performance.now() - startedAtMs) / 1000);
    expect((await operator.memory()).peakMiB).toBeLessThan(maxMiB);
    const calm = await idle(operator, `${suspended} suspended, idle`);
    expect(calm.cpu / idleSeconds).toBeLessThan(0.02);
  });

  it(`settles ${running} that run beside them, and is idle afterwards`, async () => {
    const started = await costOf(operator);
    const startedAtMs = performance.now();
    await inTurns(running, (index) => create(place, `running-${index}`, index, 1));
    await settled(place.kubernetes, running, 'Ready', 900_000);
    const cost = differenceOf(await costOf(operator), started);
    print(`${running} running`, cost, (performance.now() - startedAtMs) / 1000);
    const calm = await idle(operator, `${suspended} suspended and ${running} running, idle`);
    expect((await operator.memory()).peakMiB).toBeLessThan(maxMiB);
    expect(calm.cpu / idleSeconds).toBeLessThan(0.1);
  });
});

async function clusterEnv(closers: (() => Promise<unknown>)[]): Promise<Record<string, string>> {
  if (KUBECONFIG) return { KUBECONFIG };
  const world = await startEmbeddedWorld();
  closers.push(() => world.close());
  return world.env;
}

/** Sixteen at a time. */
async function inTurns(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function create(
  { kubernetes, namespace }: UserShell,
  name: string,
  index: number,
  replicas: number,
): Promise<void> {
  await kubernetes.create<Registry>({
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name, namespace: namespaces[index % namespaces.length] ?? '' },
    spec: {
      type: 'oci',
      indirect: { namespace, service: names.simple, port: 5000 },
      insecure: true,
      replicas,
    },
  });
}

async function settled(
  kubernetes: KubernetesClient,
  count: number,
  reason: string,
  timeout: number,
): Promise<void> {
  await vi.waitFor(
    async () => {
      const { items } = await kubernetes.list<Registry>(resourceTypes.Registry);
      const reasons = items.map((each) => conditionOf(each, 'Ready')?.reason);
      expect(reasons.filter((each) => each === reason)).toHaveLength(count);
    },
    { timeout, interval: 2000 },
  );
}

interface Cost {
  readonly cpu: number;
  readonly reconciles: number;
  readonly requests: number;
  readonly nowMiB: number;
  readonly peakMiB: number;
}

async function costOf(operator: OperatorProcess): Promise<Cost> {
  return {
    cpu: await operator.cpuSeconds(),
    reconciles: await operator.metric('reposure_reconciles_total'),
    requests: await operator.metric('reposure_api_requests_total'),
    ...(await operator.memory()),
  };
}

function differenceOf(after: Cost, before: Cost): Cost {
  return {
    ...after,
    cpu: after.cpu - before.cpu,
    reconciles: after.reconciles - before.reconciles,
    requests: after.requests - before.requests,
  };
}

async function idle(operator: OperatorProcess, title: string): Promise<Cost> {
  await calmed(operator);
  const before = await costOf(operator);
  await delay(idleSeconds * 1000);
  const cost = differenceOf(await costOf(operator), before);
  print(title, cost, idleSeconds);
  return cost;
}

/** The cluster's own controllers are slower than ours, and what they do has its events. */
async function calmed(operator: OperatorProcess): Promise<void> {
  for (let tries = 0; tries < 30; tries += 1) {
    const before = await operator.metric('reposure_reconciles_total');
    await delay(10_000);
    const reconciles = (await operator.metric('reposure_reconciles_total')) - before;
    if (reconciles < calmReconciles) return;
  }
}

function print(title: string, cost: Cost, seconds: number): void {
  const { cpu, reconciles, requests, nowMiB, peakMiB } = cost;
  const each = reconciles === 0 ? 0 : requests / reconciles;
  process.stdout.write(
    `${title}: ${seconds.toFixed(1)} s, ${cpu.toFixed(2)} CPU s, ${reconciles} reconciles, ` +
      `${requests} requests (${each.toFixed(1)} each), ${nowMiB} MiB now, ${peakMiB} MiB at most\n`,
  );
}
