/**
 * Gives `Reflect` what @peculiar/x509 wants of it when it is loaded, unless somebody has already
 * done so: the classes that use it here have no subclasses, so own metadata is all there is.
 *
 * @see https://rbuckton.github.io/reflect-metadata/#reflect
 */
export function provideReflectMetadata(): void {
  if ('getMetadata' in Reflect) return;
  const known = new WeakMap<object, Map<unknown, unknown>>();
  const find = (key: unknown, target: object): unknown => known.get(target)?.get(key);
  Object.assign(Reflect, {
    getMetadata: find,
    getOwnMetadata: find,
    defineMetadata: (key: unknown, value: unknown, target: object) => {
      const own = known.get(target) ?? new Map<unknown, unknown>();
      known.set(target, own.set(key, value));
    },
  });
}
