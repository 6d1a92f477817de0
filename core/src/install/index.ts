export type { ClientRole } from './client-role.ts';
export { registryCrdYaml } from './crd-yaml.ts';
export { execRoleOf } from './exec-role.ts';
export { containerPull, imagePullPolicies, podPull } from './image-pull.ts';
export type { ImagePull, ImagePullPolicy } from './image-pull.ts';
export { rotateKeys } from './key-rotation.ts';
export { labelsOf, selectorOf } from './labels.ts';
export { installOperator, uninstallOperator } from './operator-install.ts';
export type { InstallOperatorOptions, UninstallOptions } from './operator-install.ts';
export { fieldEnv, operatorObjects } from './operator-objects.ts';
export type { OperatorObjectsOptions } from './operator-objects.ts';
export { containerSecurityContext, podSecurityContext } from './pod-security.ts';
export { describePod, isPodReady } from './pod-state.ts';
export type { Pod } from './pod-state.ts';
export { givePullSecret, takePullSecret } from './pull-secret.ts';
export type { PullSecret, PullSecretOptions } from './pull-secret.ts';
export { pullRoleOf, pushRoleOf } from './proxy-roles.ts';
export { createRegistry, deleteRegistry, waitForRegistry } from './registry-create.ts';
export type {
  CreatedRegistry,
  CreateRegistryOptions,
  WaitForRegistryOptions,
} from './registry-create.ts';
export type { RegistryInput } from './registry-spec.ts';
export { waitForRollout } from './rollout.ts';
export type { WaitOptions } from './rollout.ts';
export { installSimple, simpleHosts, uninstallSimple } from './simple-install.ts';
export type {
  InstallSimpleOptions,
  SimpleHosts,
  UninstallSimpleOptions,
} from './simple-install.ts';
export type { Login } from './simple-login.ts';
export { operatorRights, clientRights, ruleOf } from './rights.ts';
export type { ClientUse, OperatorRight, PolicyRule, Right, RightScope } from './rights.ts';
export { simpleImage, simpleObjects } from './simple-objects.ts';
export type { SimpleObjectsOptions } from './simple-objects.ts';
