import {
  isOpenShift,
  loginSecretOf,
  names,
  registryResource,
  tlsSecretOf,
} from '../resource/index.ts';
import type { Registry } from '../resource/index.ts';

/** One rule of a Role. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * Where the operator has a right: in the namespaces whose Registries it serves, in its own, or
 * everywhere, if it serves all namespaces.
 */
export type RightScope = 'served' | 'own' | 'cluster';

/** What somebody may do with some resources, and why. */
export interface Right {
  readonly apiGroup: string;
  readonly resources: readonly string[];
  /** Any without them. */
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
  /** As SECURITY.md says it. */
  readonly why: string;
}

/** A right of the operator. */
export interface OperatorRight extends Right {
  readonly scope: RightScope;
}

/**
 * What the operator uses, and nothing more. SECURITY.md has this table, and a test compares them.
 * Surrogates and the simple registry use nothing: their Pods have no token.
 *
 * Secrets are read one by one, as Registries name them: no list, no watch; `create` without
 * `patch` or `delete` makes the keys of the proxy route, and changes no Secret but those with the
 * simple registry's certificate and CA. What is applied wants `create` and `patch`. A name cannot narrow `create`: the API does not know it yet.
 */
export const operatorRights: readonly OperatorRight[] = [
  {
    scope: 'served',
    apiGroup: registryResource.group,
    resources: ['registries'],
    verbs: ['get', 'list', 'watch'],
    why: 'what there is to do',
  },
  {
    scope: 'served',
    apiGroup: registryResource.group,
    resources: ['registries/status'],
    verbs: ['patch'],
    why: 'to say how it is',
  },
  {
    scope: 'served',
    apiGroup: 'apps',
    resources: ['statefulsets'],
    verbs: ['get', 'list', 'watch', 'create', 'patch'],
    why: 'the surrogates',
  },
  {
    scope: 'served',
    apiGroup: '',
    resources: ['configmaps', 'serviceaccounts'],
    verbs: ['list', 'watch', 'create', 'patch'],
    why: 'of the surrogates; watched, to make anew what was deleted',
  },
  {
    scope: 'served',
    apiGroup: '',
    resources: ['configmaps'],
    verbs: ['get'],
    why: 'whether OpenShift has filled the one with its CA',
  },
  {
    scope: 'served',
    apiGroup: 'authorization.k8s.io',
    resources: ['localsubjectaccessreviews'],
    verbs: ['create'],
    why: "whether a surrogate's account may push on OpenShift; asking grants nothing",
  },
  {
    scope: 'served',
    apiGroup: '',
    resources: ['services'],
    verbs: ['get', 'list', 'watch', 'create', 'patch'],
    why: 'of the surrogates; to find the registry',
  },
  {
    scope: 'served',
    apiGroup: '',
    resources: ['secrets'],
    verbs: ['get', 'create'],
    why: 'those that Registries name, one by one; the keys of the route `proxy`',
  },
  {
    scope: 'served',
    apiGroup: '',
    resources: ['secrets'],
    resourceNames: [names.simpleTls, names.simpleCa],
    verbs: ['update'],
    why: "to renew the simple registry's certificate and CA",
  },
  {
    scope: 'served',
    apiGroup: 'apps',
    resources: ['deployments'],
    resourceNames: [names.simple],
    verbs: ['get', 'update'],
    why: 'to serve the new certificate, and to end read-only after a garbage collection that was killed',
  },
  {
    scope: 'served',
    apiGroup: 'batch',
    resources: ['jobs'],
    resourceNames: [names.simpleGc],
    verbs: ['get'],
    why: 'whether it is over',
  },
  {
    scope: 'served',
    apiGroup: '',
    resources: ['pods'],
    verbs: ['get', 'list', 'watch'],
    why: 'whether a surrogate runs',
  },
  {
    scope: 'served',
    apiGroup: '',
    resources: ['events'],
    verbs: ['create'],
    why: 'to tell what happened',
  },
  {
    scope: 'own',
    apiGroup: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['create'],
    why: 'one operator at work',
  },
  {
    scope: 'own',
    apiGroup: 'coordination.k8s.io',
    resources: ['leases'],
    resourceNames: [names.operator],
    verbs: ['get', 'update'],
    why: 'the same',
  },
  {
    scope: 'cluster',
    apiGroup: 'apps',
    resources: ['deployments'],
    resourceNames: [names.operator],
    verbs: ['list', 'watch'],
    why: 'which namespaces have an operator of their own',
  },
  {
    scope: 'cluster',
    apiGroup: 'apps',
    resources: ['deployments'],
    resourceNames: [names.simple],
    verbs: ['list'],
    why: 'which namespaces have a simple registry',
  },
];

/** How a client comes to a registry; each has its Role. */
export type ClientUse = 'pull' | 'push' | 'exec';

/** What a client of one Registry uses, by its way there. */
export function clientRights(registry: string, use: ClientUse): readonly Right[] {
  return [registryRight(registry), ...waysOf(registry)[use]];
}

/**
 * What a client inside the cluster uses that goes straight to a Registry: the Secrets that the
 * Registry names today. Another Secret there is another Role.
 */
export function directRights(registry: DirectSubject): readonly Right[] {
  const {
    metadata: { name },
    spec,
  } = registry;
  const tls = tlsSecretOf(spec);
  const login = loginSecretOf(spec);
  return [
    registryRight(name),
    ...(tls === undefined ? [] : [getRight('secrets', tls, 'the CA, to trust the registry')]),
    ...(login === undefined ? [] : [getRight('secrets', login, 'the login')]),
    ...(isOpenShift(registry) && tls === undefined
      ? [getRight('configmaps', names.serviceCa(name), "OpenShift's CA")]
      : []),
  ];
}

/** The Registry that somebody goes straight to. */
export type DirectSubject = Pick<Registry, 'metadata' | 'spec' | 'status'>;

function registryRight(registry: string): Right {
  return {
    apiGroup: registryResource.group,
    resources: [registryResource.plural],
    resourceNames: [registry],
    verbs: ['get'],
    why: 'whether there is such a Registry, and how it is',
  };
}

function getRight(resource: string, name: string, why: string): Right {
  return { apiGroup: '', resources: [resource], resourceNames: [name], verbs: ['get'], why };
}

function waysOf(registry: string): Readonly<Record<ClientUse, readonly Right[]>> {
  return {
    pull: [keyRight(names.readKey(registry)), proxyRight(registry, ['get'])],
    // The proxy's verbs are those of the HTTP methods: POST creates, PUT updates.
    push: [
      keyRight(names.writeKey(registry)),
      proxyRight(registry, ['get', 'create', 'update', 'patch', 'delete']),
    ],
    exec: [
      podRight(registry, 'pods', ['get'], 'what the Pod does, if it does not run'),
      // From Kubernetes 1.35 on, exec over WebSocket wants `create`; before, `get`.
      podRight(registry, 'pods/exec', ['create', 'get'], 'the session'),
    ],
  };
}

function keyRight(secret: string): Right {
  return getRight('secrets', secret, 'the key that signs requests');
}

function proxyRight(registry: string, verbs: readonly string[]): Right {
  return {
    apiGroup: '',
    resources: ['services/proxy'],
    // As it stands in the path, with scheme and port: RBAC compares nothing else.
    resourceNames: [`https:${names.surrogate(registry)}:${names.gatewayPort}`],
    verbs,
    why: 'the requests',
  };
}

function podRight(
  registry: string,
  resource: string,
  verbs: readonly string[],
  why: string,
): Right {
  const resourceNames = [names.surrogatePod(registry)];
  return { apiGroup: '', resources: [resource], resourceNames, verbs, why };
}

/** A right as a Role has it. */
export function ruleOf({ apiGroup, resources, resourceNames, verbs }: Right): PolicyRule {
  const named = resourceNames === undefined ? {} : { resourceNames };
  return { apiGroups: [apiGroup], resources, ...named, verbs };
}
