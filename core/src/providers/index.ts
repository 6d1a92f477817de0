export { CredentialsError, credentialsReasons } from './credentials-error.ts';
export type { CredentialsReason, Secret } from './credentials-error.ts';
export { credentialsOf } from './credentials.ts';
export type { Credentials } from './credentials.ts';
export type { Found } from './auto.ts';
export { isHost } from './host-name.ts';
export type { Login } from './login.ts';
export {
  describeRegistry,
  nodePullingReasons,
  ResolutionError,
  resolutionReasons,
} from './provider.ts';
export type { NodePulling, Provider, ResolutionReason, Resolved } from './provider.ts';
export {
  findProvider,
  providerNames,
  providers,
  resolveProvider,
  wantsEndpoint,
} from './resolve.ts';
export type { AccountLogin, ServiceCaTrust } from './service-account.ts';
export { serviceHost } from './service.ts';
export { simplePort } from './simple.ts';
export type { Trust } from './trust.ts';
