import type { KubernetesObject } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';
import { containerPull, podPull } from './image-pull.ts';
import type { ImagePull } from './image-pull.ts';
import { labelsOf, selectorOf } from './labels.ts';
import { operatorRules, operatorRulesOf } from './operator-role.ts';
import { containerSecurityContext, podSecurityContext } from './pod-security.ts';
import { startupProbe } from './startup-probe.ts';

/** What the operator's objects are made from. */
export interface OperatorObjectsOptions extends ImagePull {
  readonly namespace: string;
  /** Of the operator, and of the surrogates that it makes. */
  readonly image: string;
  /** Serve the Registries of all namespaces that have no operator of their own. */
  readonly allNamespaces?: boolean | undefined;
  /** A ClusterRole that the operator's account is bound to where it serves, beside its own Role. */
  readonly role?: string | undefined;
  /** One of them works, the others wait. */
  readonly replicas?: number | undefined;
}

/** The binding to a ClusterRole, where one was asked for. */
export const operatorRoleBinding = `${names.operator}-role`;

/** Where the operator answers `/livez`, `/readyz` and `/metrics`. */
const healthPort = 8080;
/** Node collects garbage late where it may; with this, 1,000 Registries stay well below the limit. */
const heapLimit = { name: 'NODE_OPTIONS', value: '--max-old-space-size=80' };

const rbac = 'rbac.authorization.k8s.io';

/** The operator's objects, in the order to apply them; the CRD is not among them. */
export function operatorObjects(options: OperatorObjectsOptions): KubernetesObject[] {
  const { namespace, role, allNamespaces = false } = options;
  const rules = allNamespaces ? operatorRulesOf('own') : operatorRules;
  const served = allNamespaces ? undefined : namespace;
  return [
    object('v1', 'ServiceAccount', namespace, { automountServiceAccountToken: false }),
    object(`${rbac}/v1`, 'Role', namespace, { rules }),
    binding(options, { name: names.operator, roleRef: ['Role', names.operator], in: namespace }),
    ...(allNamespaces ? everywhere(options) : []),
    ...(role === undefined
      ? []
      : [
          binding(options, {
            name: operatorRoleBinding,
            roleRef: ['ClusterRole', role],
            in: served,
          }),
        ]),
    deployment(options),
  ];
}

/** What an operator that serves all namespaces may do in them. */
function everywhere(options: OperatorObjectsOptions): KubernetesObject[] {
  const rules = operatorRulesOf('served', 'cluster');
  return [
    object(`${rbac}/v1`, 'ClusterRole', undefined, { rules }),
    binding(options, {
      name: names.operator,
      roleRef: ['ClusterRole', names.operator],
      in: undefined,
    }),
  ];
}

function object(
  apiVersion: string,
  kind: string,
  namespace: string | undefined,
  fields: Record<string, unknown>,
): KubernetesObject {
  const metadata = metadataOf(names.operator, namespace);
  return { apiVersion, kind, metadata, ...fields };
}

interface BindingOptions {
  readonly name: string;
  readonly roleRef: readonly [kind: 'ClusterRole' | 'Role', name: string];
  /** Everywhere without one. */
  readonly in: string | undefined;
}

function binding(
  { namespace }: OperatorObjectsOptions,
  { name, roleRef: [kind, role], in: where }: BindingOptions,
): KubernetesObject {
  return {
    apiVersion: `${rbac}/v1`,
    kind: where === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: metadataOf(name, where),
    roleRef: { apiGroup: rbac, kind, name: role },
    subjects: [{ kind: 'ServiceAccount', name: names.operator, namespace }],
  };
}

function metadataOf(name: string, namespace: string | undefined): KubernetesObject['metadata'] {
  const labels = labelsOf(names.operator, 'operator');
  return namespace === undefined ? { name, labels } : { name, namespace, labels };
}

function deployment(options: OperatorObjectsOptions): KubernetesObject {
  const { namespace, replicas = 1 } = options;
  return object('apps/v1', 'Deployment', namespace, {
    spec: {
      replicas,
      selector: { matchLabels: selectorOf(names.operator) },
      template: {
        metadata: { labels: labelsOf(names.operator, 'operator') },
        spec: {
          serviceAccountName: names.operator,
          automountServiceAccountToken: true,
          ...podPull(options),
          securityContext: podSecurityContext,
          containers: [container(options)],
          volumes: [{ name: 'tmp', emptyDir: {} }],
        },
      },
    },
  });
}

function container(options: OperatorObjectsOptions): Record<string, unknown> {
  const { image, imagePullPolicy, imagePullSecrets = [], allNamespaces } = options;
  return {
    name: 'operator',
    image,
    ...containerPull(options),
    command: [
      names.operator,
      'run',
      '--namespace=$(POD_NAMESPACE)',
      ...(allNamespaces ? ['--all-namespaces'] : []),
      `--image=${image}`,
      '--address=$(POD_IP)',
      `--port=${healthPort}`,
      '--identity=$(POD_NAME)',
      // Surrogates are pulled as it is.
      ...(imagePullPolicy === undefined ? [] : [`--image-pull-policy=${imagePullPolicy}`]),
      ...imagePullSecrets.map((secret) => `--image-pull-secret=${secret}`),
    ],
    env: [
      heapLimit,
      fieldEnv('POD_NAMESPACE', 'metadata.namespace'),
      fieldEnv('POD_NAME', 'metadata.name'),
      fieldEnv('POD_IP', 'status.podIP'),
    ],
    ports: [{ name: 'health', containerPort: healthPort }],
    startupProbe: startupProbe({ path: '/livez', port: 'health' }),
    livenessProbe: probe('/livez', 10),
    readinessProbe: probe('/readyz', 5),
    resources: {
      requests: { cpu: '20m', memory: '64Mi' },
      limits: { memory: '256Mi' },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: containerSecurityContext,
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  };
}

/** An environment variable with a field of the Pod, for `$(NAME)` in the command. */
export function fieldEnv(name: string, fieldPath: string): Record<string, unknown> {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}

function probe(path: string, periodSeconds: number): Record<string, unknown> {
  return { httpGet: { path, port: 'health' }, periodSeconds, timeoutSeconds: 5 };
}
