/** The user of our image and of the simple registry: any but root. */
export const userId = 65_532;

/** Of a Pod: what the "restricted" Pod Security Standard asks for. */
export const podSecurityContext = {
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
} as const;

/**
 * Of a container: no root, no capabilities, nothing writable but its volumes.
 *
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
 */
export const containerSecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;
