export { createApi } from './api.ts';
export type { Api, ApiOptions } from './api.ts';
export type {
  ExecChannels,
  ExecRequest,
  LogRequest,
  NodeBackends,
  ProxyTarget,
} from './backends.ts';
export type {
  GivenObject,
  ManagedFields,
  StoredMeta,
  StoredObject,
  StoredOwnerReference,
  StoreEvent,
} from './object.ts';
export { startApiServer } from './server.ts';
export type { ApiServer } from './server.ts';
export { StatusError } from './status.ts';
export type { StoreDeleteOptions } from './store.ts';
export { Store, timestamp } from './store.ts';
export { Tokens } from './tokens.ts';
export type { User } from './tokens.ts';
