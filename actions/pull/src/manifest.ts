import type { Manifest } from '@reposure/action-shared/manifest';

import { Inputs } from './inputs.ts';

/** What `action.yml` and the README are made of. */
export const manifest: Manifest = {
  name: 'pull',
  description: 'Pull an image out of a registry that only a Kubernetes API can reach',
  icon: 'download-cloud',
  inputs: Inputs,
  outputs: {
    digest: 'Digest of the manifest or index that was pulled',
    path: 'The folder or file that it went to, as an absolute path; empty for an image that a daemon or a store has now',
  },
};
