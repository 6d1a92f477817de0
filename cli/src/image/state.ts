import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

import type { Registry } from '@reposure/core/resource';
import type { TransferState } from '@reposure/core/transfer';

/**
 * Where this machine remembers transfers.
 *
 * @param registry That they go to; outside the cluster, its host.
 * @returns `undefined` if nothing is to be remembered, or there is no place for it.
 */
export function stateOf(
  { state: isKept = true }: { readonly state?: boolean },
  registry: Registry | string | undefined,
): TransferState | undefined {
  const directory = isKept ? stateDirectory() : undefined;
  // A Registry that was made anew under its name may be another registry.
  const name = typeof registry === 'string' ? `docker://${registry}` : registry?.metadata.uid;
  return directory === undefined || name === undefined ? undefined : { directory, registry: name };
}

/**
 * Where this machine remembers what it does: `$XDG_STATE_HOME/reposure`, or
 * `~/.local/state/reposure`.
 *
 * @returns `undefined` if there is no place for it.
 * @see https://specifications.freedesktop.org/basedir-spec/0.8/
 */
export function stateDirectory(): string | undefined {
  const home = stateHome(process.env['XDG_STATE_HOME']);
  return home === undefined ? undefined : join(home, 'reposure');
}

function stateHome(configured: string | undefined): string | undefined {
  // The specification: a path that is not absolute is to be ignored.
  if (configured && isAbsolute(configured)) return configured;
  try {
    return join(homedir(), '.local', 'state');
  } catch {
    // A user without a name and without $HOME, as containers have them.
    return undefined;
  }
}
