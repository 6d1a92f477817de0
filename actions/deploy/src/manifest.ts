import type { Manifest } from '@reposure/action-shared/manifest';

import { Inputs } from './inputs.ts';

/** What `action.yml` and the README are made of. */
export const manifest: Manifest = {
  name: 'deploy',
  description: 'Deploy manifests with images by digest, and wait until they run',
  icon: 'play-circle',
  inputs: Inputs,
  outputs: {
    changed: 'Whether anything was changed; in a dry run, whether it would be: true or false',
    objects: 'A JSON array of the objects, each with its kind, name and change',
    images: 'A JSON object: the reference by digest that each image was replaced by',
  },
};
