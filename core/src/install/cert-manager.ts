import type { ServerNames } from '../certificates.ts';
import type { KubernetesObject, ResourceType } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';
import { labelsOf } from './labels.ts';

const apiVersion = 'cert-manager.io/v1';

const certificateType = {
  apiVersion,
  kind: 'Certificate',
  plural: 'certificates',
  namespaced: true,
};
const issuerType = { apiVersion, kind: 'Issuer', plural: 'issuers', namespaced: true };

/** Who issues a certificate. */
export interface IssuerName {
  readonly kind: 'Issuer' | 'ClusterIssuer';
  readonly name: string;
}

/** Signs with a CA, where nobody names an issuer; the CA signs itself. */
const selfSigned = `${names.simple}-self-signed`;

/** Whatever {@link certManagerObjects} may have made. */
export const certManagerParts: readonly (readonly [ResourceType, string])[] = [
  [certificateType, names.simple],
  [certificateType, names.simpleCa],
  [issuerType, names.simple],
  [issuerType, selfSigned],
];

/**
 * What cert-manager is asked for: a certificate for the simple registry, of a key that is new each
 * time, renewed after two thirds of its life; and a CA to sign it unless an issuer is named.
 *
 * @see https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.Certificate
 */
export function certManagerObjects(
  namespace: string,
  issuer: IssuerName | undefined,
  { dnsNames, addresses }: ServerNames,
): KubernetesObject[] {
  const object = (kind: string, name: string, spec: Record<string, unknown>): KubernetesObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace, labels: labelsOf(names.simple, 'registry') },
    spec,
  });
  // So that they are known as ours when the registry is uninstalled.
  const secretTemplate = { labels: labelsOf(names.simple, 'registry') };
  const ca = { kind: 'Issuer', name: names.simple } as const;
  const certificate = object('Certificate', names.simple, {
    secretName: names.simpleCertificate,
    secretTemplate,
    dnsNames,
    ipAddresses: addresses,
    // 90 days, with 30 left.
    duration: '2160h0m0s',
    renewBefore: '720h0m0s',
    usages: ['digital signature', 'server auth'],
    privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
    issuerRef: { group: 'cert-manager.io', ...(issuer ?? ca) },
  });
  if (issuer) return [certificate];
  return [
    object('Issuer', selfSigned, { selfSigned: {} }),
    object('Certificate', names.simpleCa, {
      secretName: names.simpleCertificateCa,
      secretTemplate,
      isCA: true,
      commonName: 'Reposure CA',
      duration: '87600h0m0s',
      privateKey: { algorithm: 'ECDSA', size: 256 },
      issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: selfSigned },
    }),
    object('Issuer', names.simple, { ca: { secretName: names.simpleCertificateCa } }),
    certificate,
  ];
}
