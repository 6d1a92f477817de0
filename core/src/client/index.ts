export { openRegistry } from './open-registry.ts';
export type { OpenRegistryOptions } from './open-registry.ts';
export type { OpenedRegistry, PullImageOptions, PushImageOptions } from './opened-registry.ts';
