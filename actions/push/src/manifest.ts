import type { Manifest } from '@reposure/action-shared/manifest';

import { Inputs } from './inputs.ts';

/** What `action.yml` and the README are made of. */
export const manifest: Manifest = {
  name: 'push',
  description: 'Push an image into a registry that only a Kubernetes API can reach',
  icon: 'upload-cloud',
  inputs: Inputs,
  outputs: {
    digest:
      'Digest of the manifest or index, as the registry confirmed it; in a dry run, as it would be',
    ref: 'The reference by digest, under the name that nodes pull where it is known',
    refs: 'A JSON array of the references by tag',
    digests: 'A JSON object: the digest per tag and per platform',
    'bytes-sent': 'Bytes that travelled; in a dry run, that would',
  },
};
