import type { Manifest } from '@reposure/action-shared/manifest';

import { Inputs } from './inputs.ts';

/** What `action.yml` and the README are made of. */
export const manifest: Manifest = {
  name: 'setup',
  description: 'Set up the operator, a Registry and the command line of Reposure',
  icon: 'server',
  inputs: Inputs,
  outputs: {
    'registry-host': 'host[:port] by which nodes pull, for image names in manifests',
    'push-host': 'host[:port] by which Pods of the cluster push',
    'ca-file':
      "A file with the registry's CA certificates, until the job ends; empty if it has none",
    version: 'Version of Reposure',
    bridge: 'With the input `bridge`, its host:port on this runner',
    kubeconfig:
      'With the input `export-kubeconfig`, the path of the kubeconfig, until the job ends',
  },
};
