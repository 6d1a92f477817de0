// What `@reposure/core/resource` on npm has: the resource, and not how the operator serves it.
export {
  Condition,
  conditionOf,
  isRegistryName,
  registryCrd,
  registryResource,
  RegistrySpec,
  RegistryStatus,
  requireRepository,
} from '../resource/index.ts';
export type { CustomResourceDefinition, Registry, RepositoryUse } from '../resource/index.ts';
