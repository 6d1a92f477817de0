import type { Fields } from './object.ts';
import { groupVersionOf } from './resources.ts';
import type { ApiResource } from './resources.ts';

/** The version that we say to be. */
export const serverVersion: Fields = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+reposure',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: 'embedded',
};

/** The media type of aggregated discovery, word by word: kubectl compares it. */
export const aggregatedType =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const storedVerbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

function verbsOf(type: ApiResource): string[] {
  return type.createOnly ? ['create'] : storedVerbs;
}

const subresourceVerbs: Readonly<Record<string, readonly string[]>> = {
  log: ['get'],
  exec: ['create', 'get'],
  token: ['create'],
  proxy: ['create', 'delete', 'get', 'patch', 'update'],
};

const subresourceKinds: Readonly<Record<string, readonly [group: string, kind: string]>> = {
  scale: ['autoscaling', 'Scale'],
  exec: ['', 'PodExecOptions'],
  token: ['authentication.k8s.io', 'TokenRequest'],
};

function subresourceOf(
  type: ApiResource,
  name: string,
): { group: string; version: string; kind: string; verbs: readonly string[] } {
  const [group, kind] = subresourceKinds[name] ?? [type.group, type.kind];
  const verbs = subresourceVerbs[name] ?? ['get', 'patch', 'update'];
  return { group, version: subresourceKinds[name] ? 'v1' : type.version, kind, verbs };
}

/** `/api` */
export function coreVersions(): Fields {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '' }],
  };
}

function groupsOf(types: readonly ApiResource[]): [group: string, versions: string[]][] {
  const groups = Map.groupBy(types, ({ group }) => group);
  return [...groups].map(([group, members]) => [
    group,
    [...new Set(members.map(({ version }) => version))],
  ]);
}

/** `/apis` */
export function groupList(types: readonly ApiResource[]): Fields {
  const groups = groupsOf(types).filter(([group]) => group !== '');
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map(([group, versions]) => groupEntry(group, versions)),
  };
}

/** `/apis/GROUP`; `undefined` if it is not served. */
export function groupOf(types: readonly ApiResource[], group: string): Fields | undefined {
  const found = groupsOf(types).find(([name]) => name === group);
  return found && { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(...found) };
}

function groupEntry(group: string, versions: readonly string[]): Fields {
  const entries = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: entries, preferredVersion: entries[0] };
}

/** `/api/v1` and `/apis/GROUP/VERSION`; `undefined` if it is not served. */
export function resourceList(
  types: readonly ApiResource[],
  groupVersion: string,
): Fields | undefined {
  const members = types.filter((type) => groupVersionOf(type) === groupVersion);
  if (members.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: members.flatMap(resourceEntries),
  };
}

function resourceEntries(type: ApiResource): Fields[] {
  const below = type.subresources.map((name) => subresourceEntry(type, name));
  return [resourceEntry(type), ...below];
}

function resourceEntry(type: ApiResource): Fields {
  const { plural, singular, namespaced, kind, shortNames, categories } = type;
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: verbsOf(type),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
}

function subresourceEntry(type: ApiResource, name: string): Fields {
  const { group, version, kind, verbs } = subresourceOf(type, name);
  const isForeign = subresourceKinds[name] !== undefined;
  return {
    name: `${type.plural}/${name}`,
    singularName: '',
    namespaced: type.namespaced,
    ...(isForeign ? { group, version } : {}),
    kind,
    verbs,
  };
}

/**
 * `/api` and `/apis` for a client that takes everything at once.
 *
 * @param isCore Whether `/api` was asked for: the group without a name only.
 */
export function aggregatedDiscovery(types: readonly ApiResource[], isCore: boolean): Fields {
  const groups = groupsOf(types).filter(([group]) => (group === '') === isCore);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(([group, versions]) => ({
      metadata: group ? { name: group } : {},
      versions: versions.map((version) => ({
        version,
        freshness: 'Current',
        resources: types
          .filter((type) => type.group === group && type.version === version)
          .map(aggregatedEntry),
      })),
    })),
  };
}

function aggregatedEntry(type: ApiResource): Fields {
  const { plural, singular, namespaced, kind, shortNames, categories, group, version } = type;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: verbsOf(type),
    shortNames,
    categories,
    subresources: type.subresources.map((name) => {
      const sub = subresourceOf(type, name);
      return {
        subresource: name,
        responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
        verbs: sub.verbs,
      };
    }),
  };
}
