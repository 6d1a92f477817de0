export { registryCrd } from './crd.ts';
export type { CustomResourceDefinition } from './crd.ts';
export {
  Condition,
  conditionOf,
  fieldManager,
  isRegistryName,
  loginSecretOf,
  maxRegistryNameLength,
  names,
  registryLabel,
  registryResource,
  RegistrySpec,
  RegistryStatus,
  surrogateGatewayPort,
  surrogateHealthPort,
  surrogatePaths,
  tlsSecretOf,
} from './registry.ts';
export type { Registry } from './registry.ts';
