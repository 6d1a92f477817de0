export { registryFromEnvironment } from './environment.ts';
export { registryHandler } from './handler.ts';
export type { EmbeddedRegistryOptions } from './options.ts';
export { startRegistry } from './server.ts';
export type { RunningRegistry, StartRegistryOptions } from './server.ts';
