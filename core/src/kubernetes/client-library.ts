import type * as ClientLibrary from '@kubernetes/client-node';

import { KubeconfigError } from './kubeconfig-error.ts';

/**
 * Loads the official client library, for what few kubeconfigs want of it: it takes 0.8 s, and 60 MB
 * where it is installed, which whoever uses our library need not have done.
 *
 * @param what What it is needed for, in the plural.
 * @throws {KubeconfigError} if it is not there.
 */
export async function clientLibrary(what: string): Promise<typeof ClientLibrary> {
  try {
    return await import('@kubernetes/client-node');
  } catch (cause) {
    throw new KubeconfigError(
      `Cannot use ${what} of a kubeconfig: the package @kubernetes/client-node is not there; want \`npm install @kubernetes/client-node\``,
      { cause },
    );
  }
}
