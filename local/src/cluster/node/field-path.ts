import type { Pod } from './objects.ts';

/**
 * The value of a field of a Pod, as the downward API names it: `metadata.name`, `status.podIP`,
 * `metadata.labels['app']`.
 *
 * @returns `undefined` for a field that the downward API does not have.
 */
export function fieldOf(pod: Pod, podIp: string, fieldPath: string): string | undefined {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath);
  if (keyed) return pod.metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2] ?? ''] ?? '';
  return fields[fieldPath]?.(pod, podIp);
}

const fields: Readonly<Record<string, (pod: Pod, podIp: string) => string>> = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace ?? 'default',
  'metadata.uid': ({ metadata }) => metadata.uid,
  'metadata.labels': ({ metadata }) => lines(metadata.labels),
  'metadata.annotations': ({ metadata }) => lines(metadata.annotations),
  'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
  'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? 'default',
  'status.hostIP': () => '127.0.0.1',
  'status.hostIPs': () => '127.0.0.1',
  'status.podIP': (_pod, podIp) => podIp,
  'status.podIPs': (_pod, podIp) => podIp,
};

function lines(values: Readonly<Record<string, string>> = {}): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}
