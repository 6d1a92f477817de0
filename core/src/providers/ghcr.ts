import type { HostedKind } from './hosted-kind.ts';

/**
 * GitHub's container registry. It has no referrers API.
 *
 * @see https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry
 */
export const ghcr: HostedKind = {
  name: 'ghcr',
  summary: 'ghcr.io; OWNER/NAME',
  hosts: /^ghcr\.io(:443)?$/,
  hostForm: 'ghcr.io',
  loginAdvice:
    'ghcr.io wants a classic personal access token with the scope write:packages as the password; tokens may expire, and the GITHUB_TOKEN of a workflow ends with its job',
};
