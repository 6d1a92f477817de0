import { join } from 'node:path';

import { InputError } from '@reposure/core';
import { BridgeRecords } from '@reposure/core/bridge';

import { stateDirectory } from '../image/state.ts';

/** The bridges of this user on this machine; `undefined` if there is no place for them. */
export function findRecords(): BridgeRecords | undefined {
  const directory = stateDirectory();
  return directory === undefined ? undefined : new BridgeRecords(join(directory, 'bridges'));
}

/** The bridges of this user on this machine. @throws {InputError} if there is no place for them. */
export function bridgeRecords(): BridgeRecords {
  const records = findRecords();
  if (records) return records;
  throw new InputError(
    'Cannot remember which bridges run: there is no home folder; want $XDG_STATE_HOME to name one',
  );
}
