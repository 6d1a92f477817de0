import type { ApiContext } from './context.ts';
import { readFields, sendJson } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { Fields } from './object.ts';
import { fieldsOf, isFields, listOf, textOf } from './object.ts';
import { isAllowed, rulesOf } from './rbac.ts';
import type { Attributes, PolicyRule } from './rbac.ts';
import { groupVersionOf } from './resources.ts';
import type { ApiResource } from './resources.ts';
import { noSuchPath, notFound } from './status.ts';
import { timestamp } from './store.ts';
import type { User } from './tokens.ts';

/** Answers a question about who somebody is, or what they may do. */
export async function serveReview(
  context: ApiContext,
  exchange: Exchange,
  type: ApiResource,
): Promise<void> {
  const body = await readFields(exchange.request);
  const status = reviewed(context, exchange.user, type, fieldsOf(body['spec']));
  const { metadata = {}, spec = {} } = body;
  const apiVersion = groupVersionOf(type);
  sendJson(exchange.response, 201, { kind: type.kind, apiVersion, metadata, spec, status });
}

function reviewed(context: ApiContext, user: User, type: ApiResource, spec: Fields): Fields {
  switch (type.kind) {
    case 'SelfSubjectReview':
      return { userInfo: userInfoOf(user) };
    case 'TokenReview':
      return tokenStatus(context, textOf(spec['token']));
    case 'SelfSubjectAccessReview':
      return accessStatus(context, user, spec);
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview':
      return accessStatus(context, reviewedUser(spec), spec);
    case 'SelfSubjectRulesReview':
      return rulesStatus(context, user, textOf(spec['namespace']));
    default:
      throw noSuchPath();
  }
}

function userInfoOf({ name, uid, groups }: User): Fields {
  return { username: name, ...(uid ? { uid } : {}), groups };
}

function tokenStatus({ tokens }: ApiContext, token: string): Fields {
  const user = tokens.lookup(token);
  return user
    ? { authenticated: true, user: userInfoOf(user) }
    : { authenticated: false, error: 'invalid bearer token' };
}

function reviewedUser(spec: Fields): User {
  return { name: textOf(spec['user']), groups: listOf(spec['groups']) as string[] };
}

function accessStatus({ store }: ApiContext, user: User, spec: Fields): Fields {
  const allowed = isAllowed(store, user, attributesOf(spec));
  return { allowed, ...(allowed ? { reason: 'RBAC: allowed' } : {}) };
}

function attributesOf(spec: Fields): Attributes {
  const path = spec['nonResourceAttributes'];
  if (isFields(path)) return { verb: textOf(path['verb']), path: textOf(path['path']) };
  const given = fieldsOf(spec['resourceAttributes']);
  return {
    verb: textOf(given['verb']),
    group: textOf(given['group']),
    resource: textOf(given['resource']),
    subresource: textOf(given['subresource']) || undefined,
    namespace: textOf(given['namespace']) || undefined,
    name: textOf(given['name']) || undefined,
  };
}

function rulesStatus({ store }: ApiContext, user: User, namespace: string): Fields {
  const everything: PolicyRule[] = [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ];
  const isMaster = user.groups.includes('system:masters');
  const rules = isMaster ? everything : rulesOf(store, user, namespace || undefined);
  return {
    resourceRules: rules.filter(({ resources }) => resources),
    nonResourceRules: rules.filter(({ nonResourceURLs }) => nonResourceURLs),
    incomplete: false,
  };
}

const tokenSeconds = 3600;

/** `serviceaccounts/NAME/token`: a token on request. */
export async function serveTokenRequest(context: ApiContext, exchange: Exchange): Promise<void> {
  const { namespace = '', name = '' } = exchange.info.target ?? {};
  const spec = fieldsOf((await readFields(exchange.request))['spec']);
  if (!context.store.peek('serviceaccounts', namespace, name)) {
    throw notFound({ resource: 'serviceaccounts', name });
  }
  const token = context.tokens.issueToken(namespace, name);
  const { expirationSeconds = tokenSeconds } = spec;
  sendJson(exchange.response, 201, {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: timestamp() },
    spec: { audiences: ['https://kubernetes.default.svc'], ...spec, expirationSeconds },
    status: { token, expirationTimestamp: timestamp(Number(expirationSeconds) * 1000) },
  });
}
