import { operatorRights, ruleOf } from '@reposure/core/install';
import type { OperatorRight } from '@reposure/core/install';
import { openCluster, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { conditionOf, names, registryCrd, serviceCaKey } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { keepCertificate } from '../../core/src/install/simple-certificates.ts';
import { readOnlySetting, readOnlyVariable } from '../../core/src/install/simple-deployment.ts';
import {
  missingImage,
  operatorPlaceholder,
  startInProcessOperator,
} from '../support/in-process-operator.ts';
import type { InProcessOperator } from '../support/in-process-operator.ts';
import { hasTool } from '../support/tools.ts';
import { openUserShell } from '../support/user-shell.ts';
import type { ClusterWorld, UserShell } from '../support/user-shell.ts';

/** One verb of one resource, as the table of the operator's rights has it. */
interface Missing {
  readonly right: OperatorRight;
  readonly resource: string;
  readonly verb: string;
}

const verbs: readonly Missing[] = operatorRights.flatMap((right) =>
  right.resources.flatMap((resource) => right.verbs.map((verb) => ({ right, resource, verb }))),
);
const rbac = 'rbac.authorization.k8s.io';

/**
 * Every verb of the operator's rights is needed: operators with a live token, each with one verb
 * less than the table allows, side by side in namespaces of their own.
 */
export function describeOperatorRights(title: string, world: () => ClusterWorld): void {
  describe.skipIf(!hasTool('kubectl'))(`${title}, rights`, { timeout: 120_000 }, () => {
    let place: UserShell;
    let asOperator: KubernetesClient;
    const closers: (() => Promise<unknown>)[] = [];

    beforeAll(async () => {
      place = await openUserShell(world());
      await serveRegistries(place);
      asOperator = await openAs(place, names.operator);
    });

    afterAll(async () => {
      // What was begun last ends first.
      for (const close of closers.toReversed()) await close();
      asOperator?.close();
      await place?.close();
    });

    /** An operator with its rights but one, in a namespace with a Registry. */
    const operate = async (namespace: string, missing?: Missing): Promise<InProcessOperator> => {
      const { kubernetes } = place;
      const allNamespaces = missing?.right.scope === 'cluster';
      // What holds in all namespaces would hold for all of them.
      const account = allNamespaces ? namespace : names.operator;
      const client = allNamespaces ? await openAs(place, account) : asOperator;
      if (allNamespaces) closers.push(async () => client.close());
      closers.push(async () => {
        await kubernetes.delete(resourceTypes.Namespace, namespace);
        const { ClusterRole, ClusterRoleBinding } = resourceTypes;
        for (const type of [ClusterRole, ClusterRoleBinding]) {
          await kubernetes.delete(type, namespace);
        }
      });
      for (const object of [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
        ...operatorPlaceholder(namespace),
        ...grants(place, { namespace, missing, account }),
        ...subjects(namespace),
      ]) {
        await kubernetes.apply(object);
      }
      await issueLongAgo(kubernetes, namespace);
      await kubernetes.create(filledServiceCa(namespace));
      const operator = startInProcessOperator({
        kubernetes: client,
        namespace,
        allNamespaces,
        image: missingImage,
        identity: namespace,
      });
      closers.push(() => operator.stop());
      return operator;
    };

    it('are enough for all that it does', async () => {
      const namespace = `${place.namespace}-all`;
      const { said } = await operate(namespace);
      await expect
        .poll(() => readinessOf(place.kubernetes, namespace), { timeout: 30_000 })
        .toBe('SurrogateNotReady');
      // The second turn at its Lease.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      expect(said.filter((line) => /cannot .* resource|^Failed/.test(line))).toEqual([]);
    });

    const isRefusedWithout = async (missing: Missing, index: number): Promise<boolean> => {
      const operator = await operate(`${place.namespace}-${index}`, missing);
      const words = `cannot ${missing.verb} resource "${missing.resource}"`;
      const isSaid = (): boolean => operator.said.some((line) => line.includes(words));
      await vi.waitUntil(isSaid, { timeout: 30_000, interval: 100 }).catch(() => {});
      await operator.stop();
      return isSaid();
    };

    it('are all needed: without any one of them, it says what it may not do', async () => {
      const spare: string[] = [];
      // Some at a time: each makes certificates, and all together would keep each other waiting.
      const rest = [...verbs.entries()];
      const work = async (): Promise<void> => {
        for (let next = rest.shift(); next; next = rest.shift()) {
          const [index, missing] = next;
          if (await isRefusedWithout(missing, index)) continue;
          spare.push(`${missing.verb} ${missing.resource}`);
        }
      };
      await Promise.all(Array.from({ length: 6 }, work));
      expect(spare).toEqual([]);
    });
  });
}

/** A client with the live token of an account that it makes. */
async function openAs(place: UserShell, account: string): Promise<KubernetesClient> {
  await place.ok(`kubectl create serviceaccount ${account}`);
  const token = (await place.ok(`kubectl create token ${account}`)).trim();
  return openCluster({ kubeconfig: await place.kubeconfigOf(account, { token }) });
}

/** The definition alone, without an operator. */
async function serveRegistries({ kubernetes, namespace }: UserShell): Promise<void> {
  await kubernetes.apply(registryCrd());
  const served = () => kubernetes.list(resourceTypes.Registry, { namespace });
  await vi.waitFor(served, { timeout: 20_000, interval: 200 });
}

interface Grant {
  readonly namespace: string;
  readonly missing: Missing | undefined;
  readonly account: string;
}

/** The Role in the namespace; and for all namespaces what is special about it, and no more. */
function grants(place: UserShell, { namespace, missing, account }: Grant): KubernetesObject[] {
  const rules = (isMeant: (right: OperatorRight) => boolean) =>
    operatorRights.filter(isMeant).flatMap((right) => rulesWithout(right, missing));
  const role = (kind: string): KubernetesObject => ({
    apiVersion: `${rbac}/v1`,
    kind,
    metadata: { name: namespace, ...(kind === 'Role' ? { namespace } : {}) },
    rules: rules(({ scope }) => (scope === 'cluster') === (kind === 'ClusterRole')),
  });
  const binding = (kind: string): KubernetesObject => ({
    ...role(kind),
    kind: `${kind}Binding`,
    rules: undefined,
    roleRef: { apiGroup: rbac, kind, name: namespace },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: place.namespace }],
  });
  const kinds = missing?.right.scope === 'cluster' ? ['Role', 'ClusterRole'] : ['Role'];
  return kinds.flatMap((kind) => [role(kind), binding(kind)]);
}

function rulesWithout(right: OperatorRight, missing: Missing | undefined): object[] {
  if (right !== missing?.right) return [ruleOf(right)];
  const rules = right.resources.map((resource) => ({
    ...ruleOf({ ...right, resources: [resource] }),
    verbs: right.verbs.filter((verb) => resource !== missing.resource || verb !== missing.verb),
  }));
  // The API takes no rule without a verb.
  return rules.filter(({ verbs: left }) => left.length > 0);
}

/** What to look after takes all that the operator may do. */
function subjects(namespace: string): KubernetesObject[] {
  const registry = (name: string, provider: string): KubernetesObject => ({
    apiVersion: 'reposure.puccini.cloud/v1alpha1',
    kind: 'Registry',
    metadata: { name, namespace },
    spec: { type: 'oci', provider },
  });
  const metadata = { name: names.simple, namespace };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 5000 }] } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: abandonedSpec() },
    registry('default', 'simple'),
    registry('openshift', 'openshift'),
  ];
}

/** A simple registry without Pods, whose garbage collection was killed. */
function abandonedSpec(): Record<string, unknown> {
  const labels = { app: names.simple };
  const env = [{ name: readOnlyVariable, value: readOnlySetting(true) }];
  return {
    replicas: 0,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        containers: [{ name: 'registry', image: missingImage, env }],
        volumes: [
          { name: 'tls', secret: { secretName: names.simpleTls } },
          { name: 'storage', persistentVolumeClaim: { claimName: names.simple } },
        ],
      },
    },
  };
}

/** As OpenShift fills it; created, as what is applied here the operator takes for its own. */
function filledServiceCa(namespace: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: names.serviceCa('openshift'), namespace },
    data: { [serviceCaKey]: '-----BEGIN CERTIFICATE-----' },
  };
}

/** A certificate that has expired, by a CA that is due for renewal. */
async function issueLongAgo(kubernetes: KubernetesClient, namespace: string): Promise<void> {
  const sevenYearsMs = 7 * 365 * 24 * 60 * 60 * 1000;
  const now = new Date(Date.now() - sevenYearsMs);
  await keepCertificate(kubernetes, namespace, { now, isServed: true, storage: 'volume' });
}

async function readinessOf(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<string | undefined> {
  const found = await kubernetes.get<Registry>(resourceTypes.Registry, 'default', namespace);
  return conditionOf(found, 'Ready')?.reason;
}
