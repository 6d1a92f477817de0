import { ReposureError } from '../errors.ts';

/** There is no usable way to a cluster in what the caller's kubeconfig says; they can mend it. */
export class KubeconfigError extends ReposureError {
  override readonly name = 'KubeconfigError';
  readonly code = 'KUBECONFIG_INVALID';
}
