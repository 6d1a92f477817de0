import type { Store } from '../api/store.ts';
import { expand } from './expansion.ts';
import { fieldOf } from './field-path.ts';
import { valuesOf } from './keyed-object.ts';
import type { Container, EnvFrom, EnvVar, KeyRef, Pod } from './objects.ts';
import { SetupError } from './setup-error.ts';

/** What the variables of a container are made from. */
export interface EnvironmentSource {
  readonly store: Store;
  readonly pod: Pod;
  readonly podIp: string;
}

/**
 * The variables that a container's manifest names, in its order, with `$(NAME)` expanded.
 *
 * @throws {SetupError} if a Secret, ConfigMap or key is not there and must be.
 */
export function environmentOf(
  source: EnvironmentSource,
  container: Container,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const from of container.envFrom ?? []) Object.assign(env, allOf(source, from));
  for (const variable of container.env ?? []) {
    const value = valueOf(source, variable, env);
    if (value !== undefined) env[variable.name] = value;
  }
  return env;
}

function allOf(source: EnvironmentSource, from: EnvFrom): Record<string, string> {
  const reference = from.secretRef ?? from.configMapRef;
  if (!reference) return {};
  const values = valuesOf(source.store, {
    kind: from.secretRef ? 'secret' : 'configmap',
    namespace: source.pod.metadata.namespace ?? 'default',
    ...reference,
  });
  const entries = [...(values ?? [])].map(([key, bytes]) => [
    `${from.prefix ?? ''}${key}`,
    bytes.toString('utf8'),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function valueOf(
  source: EnvironmentSource,
  { name, value, valueFrom }: EnvVar,
  earlier: Readonly<Record<string, string>>,
): string | undefined {
  if (!valueFrom) return expand(value ?? '', earlier);
  const { secretKeyRef, configMapKeyRef, fieldRef } = valueFrom;
  if (secretKeyRef) return keyOf(source, 'secret', secretKeyRef);
  if (configMapKeyRef) return keyOf(source, 'configmap', configMapKeyRef);
  const found = fieldRef && fieldOf(source.pod, source.podIp, fieldRef.fieldPath);
  if (found !== undefined) return found;
  throw new SetupError(
    `Cannot set ${name}: the embedded cluster has no ${JSON.stringify(valueFrom)}; want secretKeyRef, configMapKeyRef or a fieldRef of the downward API`,
  );
}

function keyOf(
  { store, pod }: EnvironmentSource,
  kind: 'secret' | 'configmap',
  { name, key, optional }: KeyRef,
): string | undefined {
  const namespace = pod.metadata.namespace ?? 'default';
  const found = valuesOf(store, { kind, namespace, name, optional })?.get(key);
  if (found === undefined && !optional) {
    const what = kind === 'secret' ? 'Secret' : 'ConfigMap';
    throw new SetupError(`couldn't find key ${key} in ${what} ${namespace}/${name}`);
  }
  return found?.toString('utf8');
}
