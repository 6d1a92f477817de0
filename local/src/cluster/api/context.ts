import type { NodeBackends } from './backends.ts';
import type { CustomResources } from './crd.ts';
import type { ResourceTable } from './resources.ts';
import type { Store } from './store.ts';
import type { Tokens } from './tokens.ts';

/** What every handler of the API works with. */
export interface ApiContext {
  readonly store: Store;
  readonly resources: ResourceTable;
  readonly custom: CustomResources;
  readonly tokens: Tokens;
  readonly backends: NodeBackends;
}
