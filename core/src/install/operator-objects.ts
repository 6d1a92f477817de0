import type { KubernetesObject } from '../kubernetes/index.ts';
import { names } from '../resource/index.ts';
import { containerPull, podPull } from './image-pull.ts';
import type { ImagePull } from './image-pull.ts';
import { labelsOf, selectorOf } from './labels.ts';
import { operatorRules } from './operator-role.ts';
import { containerSecurityContext, podSecurityContext } from './pod-security.ts';

/** What the operator's objects are made from. */
export interface OperatorObjectsOptions extends ImagePull {
  readonly namespace: string;
  /** Of the operator, and of the surrogates that it makes. */
  readonly image: string;
  /** A ClusterRole that the operator's account is bound to in its namespace, beside its own Role. */
  readonly role?: string | undefined;
  /** One of them works, the others wait. */
  readonly replicas?: number | undefined;
}

/** The binding to a ClusterRole, where one was asked for. */
export const operatorRoleBinding = `${names.operator}-role`;

/** Where the operator answers `/livez` and `/readyz`. */
const healthPort = 8080;

/** The operator's objects in its namespace, in the order to apply them; the CRD is not among them. */
export function operatorObjects(options: OperatorObjectsOptions): KubernetesObject[] {
  const { namespace, role } = options;
  return [
    object('v1', 'ServiceAccount', namespace, { automountServiceAccountToken: false }),
    object('rbac.authorization.k8s.io/v1', 'Role', namespace, { rules: operatorRules }),
    binding(names.operator, namespace, 'Role', names.operator),
    ...(role === undefined ? [] : [binding(operatorRoleBinding, namespace, 'ClusterRole', role)]),
    deployment(options),
  ];
}

function object(
  apiVersion: string,
  kind: string,
  namespace: string,
  fields: Record<string, unknown>,
): KubernetesObject {
  const labels = labelsOf(names.operator, 'operator');
  return { apiVersion, kind, metadata: { name: names.operator, namespace, labels }, ...fields };
}

function binding(
  name: string,
  namespace: string,
  kind: 'ClusterRole' | 'Role',
  role: string,
): KubernetesObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace, labels: labelsOf(names.operator, 'operator') },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
    subjects: [{ kind: 'ServiceAccount', name: names.operator, namespace }],
  };
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
  const { image, imagePullPolicy, imagePullSecrets = [] } = options;
  return {
    name: 'operator',
    image,
    ...containerPull(options),
    command: [
      names.operator,
      'run',
      '--namespace=$(POD_NAMESPACE)',
      `--image=${image}`,
      '--address=$(POD_IP)',
      `--port=${healthPort}`,
      '--identity=$(POD_NAME)',
      // Surrogates are pulled as it is.
      ...(imagePullPolicy === undefined ? [] : [`--image-pull-policy=${imagePullPolicy}`]),
      ...imagePullSecrets.map((secret) => `--image-pull-secret=${secret}`),
    ],
    env: [
      fieldEnv('POD_NAMESPACE', 'metadata.namespace'),
      fieldEnv('POD_NAME', 'metadata.name'),
      fieldEnv('POD_IP', 'status.podIP'),
    ],
    ports: [{ name: 'health', containerPort: healthPort }],
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
