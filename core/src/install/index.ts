export type { ClientRole } from './client-role.ts';
export { registryCrdYaml } from './crd-yaml.ts';
export { directRoleOf } from './direct-role.ts';
export { execRoleOf } from './exec-role.ts';
export { containerPull, imagePullPolicies, podPull } from './image-pull.ts';
export type { ImagePull, ImagePullPolicy } from './image-pull.ts';
export { rotateKeys } from './key-rotation.ts';
export { labelsOf, selectorOf } from './labels.ts';
export { checkOperator } from './operator-check.ts';
export type { InstalledOperator } from './operator-check.ts';
export { installOperator, uninstallOperator } from './operator-install.ts';
export type { InstallOperatorOptions, UninstallOptions } from './operator-install.ts';
export { fieldEnv, operatorObjects } from './operator-objects.ts';
export type { OperatorObjectsOptions } from './operator-objects.ts';
export { containerSecurityContext, podSecurityContext } from './pod-security.ts';
export { describePod, isPodReady } from './pod-state.ts';
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
export type { IssuerName } from './cert-manager.ts';
export type { Renewal, RenewalWish } from './simple-certificates.ts';
export { collectGarbage } from './simple-gc.ts';
export type { Collection, CollectGarbageOptions } from './simple-gc.ts';
export { simpleHosts } from './simple-hosts.ts';
export type { SimpleHosts } from './simple-hosts.ts';
export { installSimple } from './simple-install.ts';
export type { InstallSimpleOptions } from './simple-install.ts';
export { makePassword } from './simple-login.ts';
export type { Login } from './simple-login.ts';
export { operatorRights, clientRights, directRights, ruleOf } from './rights.ts';
export type {
  ClientUse,
  DirectSubject,
  OperatorRight,
  PolicyRule,
  Right,
  RightScope,
} from './rights.ts';
export { maintainSimple } from './simple-maintenance.ts';
export { simpleImage, simpleObjects } from './simple-objects.ts';
export type { SimpleObjectsOptions } from './simple-objects.ts';
export { renewOnRequest } from './simple-renewal.ts';
export type { RequestedRenewal } from './simple-renewal.ts';
export { simpleStatus } from './simple-status.ts';
export type { SimpleStatus } from './simple-status.ts';
export type { SimpleStorage } from './simple-storage.ts';
export type { SimpleTls } from './simple-tls.ts';
export { uninstallSimple } from './simple-uninstall.ts';
export type { UninstallSimpleOptions } from './simple-uninstall.ts';
export { addUser, listUsers, removeUser, rotateLogin, setPassword } from './simple-users.ts';
export type { SimpleUser } from './simple-users.ts';
export { startupProbe } from './startup-probe.ts';
export { wakeKubelets } from './wake-kubelets.ts';
