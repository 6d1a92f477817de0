export {
  Condition,
  conditionOf,
  fieldManager,
  loginSecretOf,
  names,
  registryLabel,
  registryResource,
  RegistrySpec,
  RegistryStatus,
  surrogatePaths,
  tlsSecretOf,
} from './registry.ts';
export type { Registry } from './registry.ts';
