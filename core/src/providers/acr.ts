import type { HostedKind } from './hosted-kind.ts';

/**
 * Azure's container registries.
 *
 * @see https://learn.microsoft.com/azure/container-registry/container-registry-authentication
 */
export const acr: HostedKind = {
  name: 'acr',
  summary: 'Azure Container Registry; tokens of `az acr login` end after three hours',
  hosts: /^[\w-]+\.(?:[\w-]+\.)?azurecr\.(?:io|cn|us)(:443)?$/,
  hostForm: 'NAME.azurecr.io',
  loginAdvice:
    'ACR wants a service principal with the role AcrPush, or a token with a password; what `az acr login --expose-token` prints ends after three hours',
};
