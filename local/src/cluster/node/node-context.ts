import type { Log } from '@reposure/core';

import type { Store } from '../api/store.ts';
import type { AddressRange } from './addresses.ts';
import type { ClaimFolders } from './claim-folders.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { HostsFile } from './hosts-file.ts';
import type { ProcessTable } from './process-table.ts';
import type { ProgramTable } from './program.ts';

/** The name of the one node. */
export const nodeName = 'local';

/** How Pods reach the API. */
export interface ApiAccess {
  readonly url: string;
  readonly caPem: string;
  /** A bearer token for a ServiceAccount. */
  issueToken(namespace: string, serviceAccount: string): string;
}

/** What everything on the node works with. */
export interface NodeContext {
  readonly store: Store;
  readonly log: Log;
  /** The cluster's own folder, removed with it. */
  readonly directory: string;
  readonly binFolder: string;
  readonly programs: ProgramTable;
  readonly addresses: AddressRange;
  readonly hosts: HostsFile;
  readonly processes: ProcessTable;
  readonly claims: ClaimFolders;
  readonly events: EventRecorder;
  readonly api: ApiAccess;
}
