export { registryCrd } from './crd.ts';
export type { CustomResourceDefinition } from './crd.ts';
export {
  Condition,
  conditionOf,
  fieldManager,
  isOpenShift,
  isRegistryName,
  loginSecretOf,
  maxRegistryNameLength,
  names,
  openShiftRegistryHost,
  registryLabel,
  registryResource,
  RegistrySpec,
  RegistryStatus,
  serviceCaKey,
  speaksPlainHttp,
  surrogateGatewayPort,
  surrogateHealthPort,
  surrogatePaths,
  tlsSecretOf,
} from './registry.ts';
export type { Registry } from './registry.ts';
export { requireRepository } from './repository-form.ts';
export type { RepositoryUse } from './repository-form.ts';
