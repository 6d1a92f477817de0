/** A Registry in the work queue: `namespace/name`. */
export type RegistryKey = string;

/** The key of a Registry. */
export function keyOf(namespace: string, name: string): RegistryKey {
  return `${namespace}/${name}`;
}

/** What {@link keyOf} joined; neither part can hold a slash. */
export function partsOf(key: RegistryKey): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}
