export type {
  ApiAnswer,
  ApiObject,
  ApplyOptions,
  ClientOptions,
  ExecExit,
  ExecOptions,
  ExecSession,
  KubernetesClient,
  KubernetesObject,
  ListOptions,
  ObjectList,
  ObjectMeta,
  OwnerReference,
  ResourceType,
  ServiceRequest,
  ServiceResponse,
  WatchEvent,
} from './client.ts';
export type { FollowEvent } from './follow.ts';
export { getRegistry } from './get-registry.ts';
export type { RegistryTarget } from './get-registry.ts';
export { KubeconfigError } from './kubeconfig-error.ts';
export { kubeconfigPaths } from './kubeconfig-paths.ts';
export { KubernetesError } from './kubernetes-error.ts';
export type { FieldConflict, RefusalOptions } from './kubernetes-error.ts';
export { groupOf } from './object-types.ts';
export { openCluster } from './open-cluster.ts';
export { openOwnCluster } from './own-cluster.ts';
export type { ContainerStatus, Pod, Termination } from './pod.ts';
export { watchAll } from './reflector.ts';
export { resourceTypes } from './resource-types.ts';
export { waitFor } from './wait.ts';
export type { WaitOptions, WaitTarget } from './wait.ts';
