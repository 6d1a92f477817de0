import { makeServerCertificate, silent } from '@reposure/core';
import { watchAll } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject, ResourceType } from '@reposure/core/kubernetes';

const group = 'cert-manager.io';
const certificates: ResourceType = {
  apiVersion: `${group}/v1`,
  kind: 'Certificate',
  plural: 'certificates',
  namespaced: true,
};

const text = { type: 'string' };
const texts = { type: 'array', items: text };
const oneOf = (...values: string[]): object => ({ type: 'string', enum: values });
const object = (properties: object, required: string[] = []): object => ({
  type: 'object',
  properties,
  ...(required.length > 0 ? { required } : {}),
});

/** As the reference of cert-manager's API has it, as far as we use it. */
const specs = {
  Certificate: object(
    {
      secretName: text,
      secretTemplate: object({
        labels: { type: 'object', additionalProperties: text },
        annotations: { type: 'object', additionalProperties: text },
      }),
      commonName: text,
      dnsNames: texts,
      ipAddresses: texts,
      duration: text,
      renewBefore: text,
      isCA: { type: 'boolean' },
      usages: { type: 'array', items: oneOf('digital signature', 'server auth', 'cert sign') },
      privateKey: object({
        algorithm: oneOf('RSA', 'ECDSA', 'Ed25519'),
        size: { type: 'integer' },
        rotationPolicy: oneOf('Never', 'Always'),
      }),
      issuerRef: object({ name: text, kind: text, group: text }, ['name']),
    },
    ['issuerRef', 'secretName'],
  ),
  Issuer: object({ selfSigned: object({}), ca: object({ secretName: text }, ['secretName']) }),
} as const;

/** The definitions of cert-manager that {@link startCertManager} stands in for. */
export function certManagerDefinitions(): KubernetesObject[] {
  return Object.entries(specs).map(([kind, spec]) => {
    const singular = kind.toLowerCase();
    const plural = `${singular}s`;
    const schema = { openAPIV3Schema: object({ spec }, ['spec']) };
    return {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind, plural, singular },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    };
  });
}

interface Certificate extends KubernetesObject {
  spec: {
    secretName: string;
    secretTemplate?: { labels?: Record<string, string> };
    dnsNames?: string[];
    ipAddresses?: string[];
  };
}

/**
 * Plays the part of cert-manager, which cannot run here: puts a certificate for the names of each
 * Certificate into its Secret.
 */
export async function startCertManager(
  kubernetes: KubernetesClient,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { namespace, signal, log: silent };
  for await (const event of watchAll<Certificate>(kubernetes, certificates, options)) {
    if (event.type === 'SYNC') for (const each of event.items) await issue(kubernetes, each);
    if (event.type === 'ADDED') await issue(kubernetes, event.object);
  }
}

async function issue(kubernetes: KubernetesClient, { metadata, spec }: Certificate): Promise<void> {
  const { dnsNames = [], ipAddresses: addresses = [] } = spec;
  const { caPem, certificatePem, keyPem } = await makeServerCertificate({ dnsNames, addresses });
  const { namespace = '' } = metadata;
  const { labels = {} } = spec.secretTemplate ?? {};
  await kubernetes.apply<KubernetesObject>(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: spec.secretName, namespace, labels },
      type: 'kubernetes.io/tls',
      stringData: { 'ca.crt': caPem, 'tls.crt': certificatePem, 'tls.key': keyPem },
    },
    { fieldManager: 'cert-manager' },
  );
}
