import * as z from 'zod';

/** The group, version and names of the custom resource. */
export const registryResource = {
  group: 'reposure.puccini.cloud',
  version: 'v1alpha1',
  apiVersion: 'reposure.puccini.cloud/v1alpha1',
  kind: 'Registry',
  plural: 'registries',
  singular: 'registry',
  shortName: 'reg',
} as const;

/** The field manager of everything that Reposure applies. */
export const fieldManager = 'reposure';

/** Names that the operator, the routes and the command line must agree on. */
export const names = {
  operator: 'reposure-operator',
  simple: 'reposure-simple',
  simpleTls: 'reposure-simple-authentication',
  /** The CA that signs the simple registry's certificates, with its key. */
  simpleCa: 'reposure-simple-ca',
  /** Where cert-manager puts the simple registry's certificate. */
  simpleCertificate: 'reposure-simple-certificate',
  simpleCertificateCa: 'reposure-simple-certificate-ca',
  /** What of the simple registry's configuration is secret. */
  simpleConfig: 'reposure-simple-config',
  simpleGc: 'reposure-simple-gc',
  simpleHtpasswd: 'reposure-simple-htpasswd',
  /** The login that a client of the simple registry uses, as a dockerconfigjson Secret. */
  simpleLogin: 'reposure-simple-login',
  surrogate: (registry: string): string => `reposure-surrogate-${registry}`,
  /** The one Pod of the StatefulSet: fixed, so that a Role can name it. */
  surrogatePod: (registry: string): string => `reposure-surrogate-${registry}-0`,
  surrogateContainer: 'surrogate',
  /**
   * The keys of the proxy route, one Secret each: RBAC grants whole Secrets, and whoever may pull
   * must not learn the key that pushes.
   */
  readKey: (registry: string): string => `reposure-surrogate-${registry}-read-key`,
  writeKey: (registry: string): string => `reposure-surrogate-${registry}-write-key`,
  /** The ConfigMap that OpenShift fills with the CA of its services. */
  serviceCa: (registry: string): string => `reposure-surrogate-${registry}-service-ca`,
  /** What lets the surrogate push on OpenShift. */
  imageBuilder: (registry: string): string => `reposure-surrogate-${registry}-image-builder`,
  /** The port of the surrogate's Service that the API server proxies to. */
  gatewayPort: 'gateway',
  directRole: (registry: string): string => `reposure-direct-${registry}`,
  execRole: (registry: string): string => `reposure-exec-${registry}`,
  pullRole: (registry: string): string => `reposure-pull-${registry}`,
  pushRole: (registry: string): string => `reposure-push-${registry}`,
  /** What Pods pull with, in their own namespace. */
  pullSecret: (registry: string): string => `reposure-pull-${registry}`,
  image: (version: string): string => `ghcr.io/reposure/reposure:${version}`,
} as const;

/** Where the surrogate answers `/livez` and `/readyz`. */
export const surrogateHealthPort = 8080;
/** Where the surrogate's gateway listens, HTTPS. */
export const surrogateGatewayPort = 8443;

/**
 * The longest name of a Registry: `reposure-surrogate-<name>` is a StatefulSet, whose Pods carry
 * `<its name>-<hash of 10>` as a label, and a label has 63 characters at most.
 */
export const maxRegistryNameLength = 63 - 11 - 'reposure-surrogate-'.length;

/** Whether every object of a Registry of this name can be made: Services and labels take less than the API. */
export function isRegistryName(name: string): boolean {
  return name.length <= maxRegistryNameLength && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(name);
}

/** The label that every object of a Registry carries. */
export const registryLabel = 'reposure.puccini.cloud/registry';

/** Where the surrogate finds what it needs. */
export const surrogatePaths = {
  directory: '/etc/reposure',
  caFile: '/etc/reposure/tls/ca.crt',
  /** A folder: keys of a `kubernetes.io/dockerconfigjson` or `kubernetes.io/basic-auth` Secret, or `token`. */
  loginDirectory: '/etc/reposure/login',
  /** Folders with `key`, and `previous` while it rotates: random bytes, base64url. */
  readKeyDirectory: '/etc/reposure/keys/read',
  writeKeyDirectory: '/etc/reposure/keys/write',
} as const;

const dnsLabel = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
const port = z.int().min(1).max(65_535);

/** `spec` of a Registry: the predecessor's fields keep their meaning, the others are optional. */
export const RegistrySpec = z.object({
  type: z.literal('oci').default('oci').describe('The kind of registry: oci'),
  direct: z
    .object({ host: z.string().min(1).describe('host[:port] of the registry') })
    .optional()
    .describe('A registry with a host of its own'),
  indirect: z
    .object({
      namespace: dnsLabel
        .optional()
        .describe("The Service's namespace; the Registry's own by default"),
      service: dnsLabel.describe("The Service's name"),
      port: port.default(5000).describe("The Service's port"),
    })
    .optional()
    .describe('A registry behind a Service of this cluster'),
  authenticationSecret: dnsLabel
    .optional()
    .describe('Secret that holds the CA certificate of the registry (older name of tlsSecret)'),
  authenticationSecretDataKey: z
    .string()
    .optional()
    .describe('Key of the CA certificate in that Secret; ca.crt, else tls.crt, by default'),
  authorizationSecret: dnsLabel
    .optional()
    .describe('Secret that holds the login at the registry (older name of loginSecret)'),
  provider: z
    .string()
    .optional()
    .describe(
      'What runs the registry: simple, minikube, microk8s, openshift, kind, k3d, local-registry (KEP-1755) or auto, which are found by themselves; or harbor, quay, ghcr, ecr, gar, acr, host or service, which want direct or indirect; none for a plain host or Service',
    ),
  insecure: z
    .boolean()
    .optional()
    .describe('Plain HTTP. No login is ever sent over it unless this is written here'),
  tlsSecret: dnsLabel.optional().describe('Secret that holds the CA certificate of the registry'),
  loginSecret: dnsLabel
    .optional()
    .describe(
      'Secret that holds the login: dockerconfigjson that names the host, or labelled for this Registry',
    ),
  replicas: z.int().min(0).max(1).optional().describe('Surrogate Pods; 0 takes the way in away'),
  image: z.string().optional().describe("The surrogate's image; the operator's own by default"),
  pullHost: z
    .string()
    .optional()
    .describe('host[:port] by which nodes pull, where it is another one'),
});
export type RegistrySpec = z.infer<typeof RegistrySpec>;

/** A condition as Kubernetes has it. */
export const Condition = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: z.string(),
  observedGeneration: z.int().optional(),
});
export type Condition = z.infer<typeof Condition>;

/** `status` of a Registry, written by the operator. */
export const RegistryStatus = z.object({
  observedGeneration: z.int().optional(),
  provider: z.string().optional(),
  pushHost: z.string().optional().describe('host[:port] by which Pods of the cluster push'),
  pullHost: z.string().optional().describe('host[:port] by which nodes pull'),
  surrogatePod: z.string().optional().describe('The Pod that clients exec into'),
  replicas: z.int().optional().describe('Surrogate Pods that there should be'),
  readyReplicas: z.int().optional().describe('Surrogate Pods that are ready'),
  conditions: z
    .array(Condition)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
});
export type RegistryStatus = z.infer<typeof RegistryStatus>;

/** The custom resource, as the API serves it. */
export interface Registry {
  apiVersion: typeof registryResource.apiVersion;
  kind: typeof registryResource.kind;
  metadata: {
    name: string;
    namespace: string;
    uid?: string;
    generation?: number;
    resourceVersion?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: RegistrySpec;
  status?: RegistryStatus;
}

/** One condition of a Registry; `undefined` if nobody has written it yet. */
export function conditionOf(registry: Registry, type: string): Condition | undefined {
  return registry.status?.conditions?.find((condition) => condition.type === type);
}

/** Where Pods and nodes of every OpenShift cluster find its own registry. */
export const openShiftRegistryHost = 'image-registry.openshift-image-registry.svc:5000';

/** The key of the ConfigMap that OpenShift's service-CA operator fills. */
export const serviceCaKey = 'service-ca.crt';

/** Registries inside clusters that come without TLS. */
const plainHttpProviders: ReadonlySet<string> = new Set([
  'simple',
  'minikube',
  'microk8s',
  'kind',
  'k3d',
  'local-registry',
]);

/** Whether plain HTTP is spoken: it is written there, or its makers gave the registry nothing else. */
export function speaksPlainHttp(spec: RegistrySpec, provider: string | undefined): boolean {
  const isPlain = plainHttpProviders.has(provider ?? '') && tlsSecretOf(spec) === undefined;
  return spec.insecure === true || isPlain;
}

/** Whether it is OpenShift's own registry: found there, or said to be. */
export function isOpenShift({ spec, status }: Pick<Registry, 'spec' | 'status'>): boolean {
  return (status?.provider ?? spec.provider) === 'openshift';
}

/** The Secret with the CA certificate, by either of its names. */
export function tlsSecretOf(spec: RegistrySpec): string | undefined {
  return spec.tlsSecret ?? spec.authenticationSecret;
}

/** The Secret with the login, by either of its names. */
export function loginSecretOf(spec: RegistrySpec): string | undefined {
  return spec.loginSecret ?? spec.authorizationSecret;
}
