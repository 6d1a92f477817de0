import type { HostedKind } from './hosted-kind.ts';

/**
 * Google's Artifact Registry, and gcr.io, which it serves.
 *
 * @see https://cloud.google.com/artifact-registry/docs/docker/authentication
 */
export const gar: HostedKind = {
  name: 'gar',
  summary: 'Google Artifact Registry, PROJECT/REPOSITORY/NAME, and gcr.io, PROJECT/NAME',
  hosts: /^(?:[\w-]+-docker\.pkg\.dev|(?:[\w-]+\.)?gcr\.io)(:443)?$/,
  hostForm: 'LOCATION-docker.pkg.dev',
  loginAdvice:
    'Artifact Registry wants the user oauth2accesstoken and an access token, which ends after an hour, or the user _json_key and the key of a service account, which does not; have tokens renewed in the Secret',
};
