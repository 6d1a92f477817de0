import { InputError } from '../errors.ts';
import { groupOf } from '../kubernetes/index.ts';
import type { KubernetesObject } from '../kubernetes/index.ts';
import { parseFieldPath, stringsAt } from './field-path.ts';
import type { FieldPath, StringField } from './field-path.ts';
import { kindKeyOf } from './manifest.ts';

/** Where a custom kind names images. */
export interface ImagePath {
  readonly kind: string;
  /** Any group without one. */
  readonly group?: string | undefined;
  readonly path: FieldPath;
  /** As it was written, for messages. */
  readonly text: string;
}

/** Where in an object the specification of its Pods is. */
const podSpecs: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec'],
  PodTemplate: ['template', 'spec'],
  ReplicationController: ['spec', 'template', 'spec'],
  'apps/Deployment': ['spec', 'template', 'spec'],
  'apps/ReplicaSet': ['spec', 'template', 'spec'],
  'apps/StatefulSet': ['spec', 'template', 'spec'],
  'apps/DaemonSet': ['spec', 'template', 'spec'],
  'batch/Job': ['spec', 'template', 'spec'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

/** Where in a Pod images are named; a volume of kind `image` mounts one. */
const inPods: readonly FieldPath[] = [
  ['initContainers', '*', 'image'],
  ['containers', '*', 'image'],
  ['ephemeralContainers', '*', 'image'],
  ['volumes', '*', 'image', 'reference'],
];

/**
 * Parses `KIND[.GROUP]=PATH`, such as `Rollout.argoproj.io=spec.template.spec.containers[*].image`.
 *
 * @throws {InputError} if it is nothing like that.
 */
export function parseImagePath(text: string): ImagePath {
  const [, kind, group, path] = /^([A-Z]\w*)(?:\.([\w.-]+))?=(.+)$/.exec(text) ?? [];
  if (kind === undefined || path === undefined) {
    throw new InputError(
      `Cannot use image path "${text}": want KIND[.GROUP]=PATH, e.g. Rollout.argoproj.io=spec.template.spec.containers[*].image`,
    );
  }
  return { kind, ...(group === undefined ? {} : { group }), path: parseFieldPath(path), text };
}

/** Whether a path is meant for an object. */
export function isForObject({ kind, group }: ImagePath, object: KubernetesObject): boolean {
  return object.kind === kind && (group === undefined || groupOf(object.apiVersion) === group);
}

/** Every place in an object that names an image. */
export function imageFieldsOf(
  object: KubernetesObject,
  paths: readonly ImagePath[] = [],
): StringField[] {
  const podSpec = podSpecs[kindKeyOf(object)];
  const own = podSpec ? inPods.map((path) => podSpec.concat(path)) : [];
  const given = paths.filter((each) => isForObject(each, object)).map(({ path }) => path);
  const fields = [...own, ...given].flatMap((path) => stringsAt(object, path));
  return [...new Map(fields.map((field) => [field.path, field])).values()];
}
