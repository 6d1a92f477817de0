import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { StoreEvent, StoredObject } from '../api/object.ts';
import type { Store } from '../api/store.ts';
import { modify, modifyStatus } from './modification.ts';
import { SetupError } from './setup-error.ts';

const resource = 'persistentvolumeclaims';

/** PersistentVolumeClaims as folders: each is bound at once, and kept until it is deleted. */
export class ClaimFolders {
  readonly #store: Store;
  readonly #folder: string;

  constructor(store: Store, folder: string) {
    this.#store = store;
    this.#folder = folder;
  }

  /** The folder of a claim. @throws {SetupError} if there is no such claim. */
  folderOf(namespace: string, name: string): string {
    const claim = this.#store.peek(resource, namespace, name);
    if (!claim) throw new SetupError(`persistentvolumeclaim "${name}" not found`);
    const folder = join(this.#folder, claim.metadata.uid);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Binds what is new, removes what is gone. */
  handle({ type, resource: changed, object }: StoreEvent): void {
    if (changed !== resource) return;
    if (type === 'DELETED') {
      rmSync(join(this.#folder, object.metadata.uid), { recursive: true, force: true });
    } else this.#bind(object);
  }

  #bind(claim: StoredObject): void {
    const place = { resource, object: claim };
    modify(this.#store, place, (draft) => {
      draft['spec'] = { volumeName: `pvc-${claim.metadata.uid}`, ...(draft['spec'] as object) };
    });
    modifyStatus(this.#store, place, (draft) => {
      const { accessModes, resources } = draft['spec'] as {
        accessModes?: string[];
        resources?: { requests?: object };
      };
      draft['status'] = { phase: 'Bound', accessModes, capacity: resources?.requests };
    });
  }
}
