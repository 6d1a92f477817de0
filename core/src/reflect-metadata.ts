type Metadata = WeakMap<object, Map<unknown, unknown>>;

/**
 * Gives `Reflect` the three functions that @peculiar/x509 wants of it when it is loaded, unless
 * somebody has already done so.
 *
 * The package that everybody takes for it brings a whole proposal that was withdrawn.
 *
 * @see https://rbuckton.github.io/reflect-metadata/#reflect
 */
export function provideReflectMetadata(): void {
  if ('getMetadata' in Reflect) return;
  const metadata: Metadata = new WeakMap();
  Object.assign(Reflect, {
    defineMetadata: (key: unknown, value: unknown, target: object) => {
      const own = metadata.get(target) ?? new Map<unknown, unknown>();
      metadata.set(target, own.set(key, value));
    },
    getOwnMetadata: (key: unknown, target: object) => metadata.get(target)?.get(key),
    getMetadata: (key: unknown, target: object) => find(metadata, key, target),
  });
}

function find(metadata: Metadata, key: unknown, target: object): unknown {
  for (let at: object | null = target; at !== null; at = Reflect.getPrototypeOf(at)) {
    const own = metadata.get(at);
    if (own?.has(key)) return own.get(key);
  }
  return undefined;
}
