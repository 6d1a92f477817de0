import { createHash } from 'node:crypto';

import { InputError } from '../errors.ts';
import { groupOf, resourceTypes } from '../kubernetes/index.ts';
import type { ApplyOptions, KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { version } from '../version.ts';
import { identityOf } from './manifest.ts';

/**
 * A set of objects that are deployed together, so that what is no longer among them can be found.
 *
 * It is an ApplySet, as kubectl's: a ConfigMap in the namespace remembers kinds and namespaces, and
 * every member has its label.
 *
 * @see https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/3659-kubectl-apply-prune
 */
export interface DeploySet {
  readonly name: string;
  readonly namespace: string;
}

const idLabel = 'applyset.kubernetes.io/id';
const memberLabel = 'applyset.kubernetes.io/part-of';
const toolingKey = 'applyset.kubernetes.io/tooling';
const kindsKey = 'applyset.kubernetes.io/contains-group-kinds';
const namespacesKey = 'applyset.kubernetes.io/additional-namespaces';
const tooling = 'reposure';

/** Kinds that are never deleted here: with them goes what nobody can make again. */
const precious = new Set(['Namespace', 'CustomResourceDefinition', 'PersistentVolumeClaim']);

/** Whether an object is only deleted by a person. */
export function isPrecious({ kind }: KubernetesObject): boolean {
  return precious.has(kind);
}

/** What a set consists of, as its ConfigMap tells. */
export interface Contents {
  /** `Deployment.apps`, `ConfigMap` */
  readonly kinds: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<string>;
}

/** What is no longer in the manifests, and what becomes of it. */
export interface Leftover {
  readonly object: KubernetesObject;
  readonly isKept: boolean;
}

/** `applyset-…-v1`, by the rule of the KEP. */
function setIdOf({ name, namespace }: DeploySet): string {
  const hash = createHash('sha256').update(`${name}.${namespace}.ConfigMap.`).digest('base64url');
  return `applyset-${hash}-v1`;
}

/** The label of a member. */
export function memberLabelsOf(set: DeploySet): Record<string, string> {
  return { [memberLabel]: setIdOf(set) };
}

/** @throws {InputError} if the ConfigMap of that name is something else, or another tool's. */
export async function readSet(
  kubernetes: KubernetesClient,
  set: DeploySet,
): Promise<Contents | undefined> {
  const { name, namespace } = set;
  const found = await kubernetes.find<KubernetesObject>(resourceTypes.ConfigMap, name, namespace);
  if (!found) return undefined;
  const { labels = {}, annotations = {} } = found.metadata;
  const isOurs = (annotations[toolingKey] ?? '').startsWith(`${tooling}/`);
  if (labels[idLabel] !== setIdOf(set) || !isOurs) {
    throw new InputError(
      `Cannot use set "${name}": ConfigMap ${namespace}/${name} is there, and is no set of reposure; want another name`,
    );
  }
  return {
    kinds: new Set(listOf(annotations[kindsKey])),
    namespaces: new Set(listOf(annotations[namespacesKey])),
  };
}

/** What a set of these objects consists of. */
export function contentsOf(objects: readonly KubernetesObject[]): Contents {
  const namespaces = objects.map(({ metadata }) => metadata.namespace ?? '').filter(Boolean);
  return { kinds: new Set(objects.map(kindNameOf)), namespaces: new Set(namespaces) };
}

/** Remembers what a set consists of. Before anything is applied, with all that it had until then. */
export async function writeSet(
  kubernetes: KubernetesClient,
  set: DeploySet,
  contents: Contents,
  options: ApplyOptions,
): Promise<void> {
  const { name, namespace } = set;
  const others = [...contents.namespaces].filter((each) => each !== namespace);
  await kubernetes.apply(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace,
        labels: { [idLabel]: setIdOf(set) },
        annotations: {
          [toolingKey]: `${tooling}/v${version}`,
          [kindsKey]: [...contents.kinds].toSorted().join(','),
          [namespacesKey]: others.toSorted().join(','),
        },
      },
    },
    options,
  );
}

/** Both together. */
export function union(a: Contents | undefined, b: Contents): Contents {
  if (!a) return b;
  return { kinds: a.kinds.union(b.kinds), namespaces: a.namespaces.union(b.namespaces) };
}

/** The members of a set that are not among the objects. */
export async function leftoversOf(
  kubernetes: KubernetesClient,
  set: DeploySet,
  former: Contents | undefined,
  objects: readonly KubernetesObject[],
): Promise<Leftover[]> {
  const wanted = new Set(objects.map(identityOf));
  const members = former ? await membersOf(kubernetes, set, former) : [];
  return members
    .filter((object) => !wanted.has(identityOf(object)) && !isGoing(object))
    .map((object) => ({ object, isKept: isPrecious(object) }));
}

function isGoing({ metadata }: KubernetesObject): boolean {
  // What another object owns comes back, or goes with it.
  const isOwned = metadata.ownerReferences?.some(({ controller }) => controller) === true;
  return metadata.deletionTimestamp !== undefined || isOwned;
}

async function membersOf(
  kubernetes: KubernetesClient,
  set: DeploySet,
  { kinds, namespaces }: Contents,
): Promise<KubernetesObject[]> {
  const labelSelector = `${memberLabel}=${setIdOf(set)}`;
  const members: KubernetesObject[] = [];
  for (const kind of kinds) {
    const [name = '', ...group] = kind.split('.');
    const type = await kubernetes.typeOfKind(name, group.join('.'));
    // A kind whose definition is gone has no objects any more.
    if (!type) continue;
    const places = type.namespaced ? new Set([set.namespace, ...namespaces]) : [undefined];
    for (const namespace of places) {
      const found = await kubernetes.list<KubernetesObject>(type, { namespace, labelSelector });
      members.push(...found.items);
    }
  }
  return members;
}

function kindNameOf(object: KubernetesObject): string {
  const group = groupOf(object.apiVersion);
  return group ? `${object.kind}.${group}` : object.kind;
}

function listOf(text = ''): string[] {
  return text.split(',').filter(Boolean);
}
