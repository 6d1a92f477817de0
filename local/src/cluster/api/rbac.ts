import type { StoredObject } from './object.ts';
import { fieldsOf, listOf, resourceOf } from './object.ts';
import { StatusError } from './status.ts';
import { serviceAccountUser } from './tokens.ts';
import type { User } from './tokens.ts';

/** What somebody wants to do, as RBAC sees it. */
export type Attributes = ResourceAttributes | PathAttributes;

/** Something with an object or a collection. */
export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/** Something with a path that is no resource. */
interface PathAttributes {
  readonly verb: string;
  readonly path: string;
}

/** A rule of a Role. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** What RBAC reads of the store. */
export interface Roles {
  peek(resource: string, namespace: string | undefined, name: string): StoredObject | undefined;
  peekAll(resource: string, namespace?: string): readonly StoredObject[];
}

const group = 'rbac.authorization.k8s.io';

/** Paths that every client may read, as `system:discovery` and `system:public-info-viewer` have it. */
const openPaths = ['/api', '/apis', '/openapi', '/version', '/healthz', '/livez', '/readyz'];
const publicPaths = ['/version', '/healthz', '/livez', '/readyz'];

/**
 * Whether RBAC allows it: the rules of all roles that are bound to the user or its groups.
 *
 * Unlike the real API, creating a role or binding needs no more rights than the right to create it:
 * the check against escalation is left out, as this is no place with users to keep apart.
 */
export function isAllowed(store: Roles, user: User, attributes: Attributes): boolean {
  if (user.groups.includes('system:masters')) return true;
  if ('path' in attributes) {
    if (isOpen(user, attributes)) return true;
    return rulesOf(store, user, undefined).some((rule) => coversPath(rule, attributes));
  }
  if (isOwnReview(user, attributes)) return true;
  return rulesOf(store, user, attributes.namespace).some((rule) => covers(rule, attributes));
}

function isOpen(user: User, { verb, path }: PathAttributes): boolean {
  const paths = user.groups.includes('system:authenticated') ? openPaths : publicPaths;
  return verb === 'get' && paths.some((open) => path === open || path.startsWith(`${open}/`));
}

// What `system:basic-user` grants to everybody who is authenticated.
function isOwnReview(user: User, { verb, resource }: ResourceAttributes): boolean {
  return (
    verb === 'create' &&
    ['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews'].includes(
      resource,
    ) &&
    user.groups.includes('system:authenticated')
  );
}

/** The rules that hold for a user in a namespace; without one, those that hold everywhere. */
export function rulesOf(store: Roles, user: User, namespace: string | undefined): PolicyRule[] {
  const bindings = [
    ...store.peekAll(`clusterrolebindings.${group}`),
    ...(namespace ? store.peekAll(`rolebindings.${group}`, namespace) : []),
  ];
  return bindings
    .filter((binding) => listOf(binding['subjects']).some((each) => isSubject(each, user, binding)))
    .flatMap((binding) => rulesOfRole(store, binding));
}

function isSubject(subject: unknown, user: User, binding: StoredObject): boolean {
  const {
    kind,
    name,
    namespace = binding.metadata.namespace,
  } = fieldsOf(subject) as {
    kind?: string;
    name?: string;
    namespace?: string;
  };
  if (kind === 'User') return user.name === name;
  if (kind === 'Group') return name !== undefined && user.groups.includes(name);
  const isAccount = kind === 'ServiceAccount';
  return isAccount && user.name === serviceAccountUser(namespace ?? '', name ?? '').name;
}

function rulesOfRole(store: Roles, binding: StoredObject): PolicyRule[] {
  const { kind, name } = fieldsOf(binding['roleRef']) as { kind?: string; name?: string };
  const role =
    kind === 'ClusterRole'
      ? store.peek(`clusterroles.${group}`, undefined, name ?? '')
      : store.peek(`roles.${group}`, binding.metadata.namespace, name ?? '');
  return listOf(role?.['rules']) as PolicyRule[];
}

function covers(rule: PolicyRule, attributes: ResourceAttributes): boolean {
  const { verb, resource, subresource, name } = attributes;
  const full = subresource ? `${resource}/${subresource}` : resource;
  const isResource =
    has(rule.resources, full) ||
    (subresource !== undefined && rule.resources?.includes(`*/${subresource}`) === true);
  const isNamed =
    !rule.resourceNames?.length || (name !== undefined && rule.resourceNames.includes(name));
  return has(rule.verbs, verb) && has(rule.apiGroups, attributes.group) && isResource && isNamed;
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes('*') || list.includes(value));
}

function coversPath(rule: PolicyRule, { verb, path }: PathAttributes): boolean {
  return (
    has(rule.verbs, verb) &&
    (rule.nonResourceURLs ?? []).some((url) =>
      url.endsWith('*') ? path.startsWith(url.slice(0, -1)) : path === url,
    )
  );
}

/** The refusal of what RBAC does not allow, in the words of the real API. */
export function forbidden(user: User, attributes: Attributes, why = ''): StatusError {
  const who = `User "${user.name}" cannot ${attributes.verb}`;
  if ('path' in attributes) {
    const message = `forbidden: ${who} path "${attributes.path}"`;
    return new StatusError(403, 'Forbidden', message, {});
  }
  const { resource, subresource, namespace, name } = attributes;
  const type = resourceOf(resource, attributes.group);
  const full = subresource ? `${resource}/${subresource}` : resource;
  const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
  const subject = name ? `${type} "${name}"` : type;
  const message = `${subject} is forbidden: ${who} resource "${full}" in API group "${attributes.group}" ${where}${why}`;
  return new StatusError(403, 'Forbidden', message, {
    kind: resource,
    ...(name ? { name } : {}),
    ...(attributes.group ? { group: attributes.group } : {}),
  });
}
