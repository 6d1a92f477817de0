import { InputError, NotFoundError } from '@reposure/core';
import { resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient, KubernetesObject } from '@reposure/core/kubernetes';
import { DockerConfig, dockerConfigCredentials } from '@reposure/core/registry';
import type { Credentials } from '@reposure/core/registry';
import { isOpenShift, loginSecretOf } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import { registryCa } from '@reposure/core/surrogate';
import type { Command } from 'commander';

import { getRegistry, withCluster } from '../environment.ts';
import { print } from '../output.ts';

/** What `registry info` knows. */
export const infoFields = ['host', 'push-host', 'username', 'password', 'token', 'cert'] as const;
type InfoField = (typeof infoFields)[number];

interface Secret extends KubernetesObject {
  data?: Record<string, string>;
}

/** `registry info NAME FIELD` */
export async function infoAction(
  name: string,
  field: InfoField,
  _: unknown,
  command: Command,
): Promise<void> {
  await withCluster(command.optsWithGlobals(), async (environment) => {
    const registry = await getRegistry(environment, name);
    const text = await valueOf(registry, field, environment.cluster);
    await print(environment.format, { value: { [field]: text }, names: [text], text });
  });
}

async function valueOf(
  registry: Registry,
  field: InfoField,
  cluster: KubernetesClient,
): Promise<string> {
  const { pushHost, pullHost } = registry.status ?? {};
  switch (field) {
    case 'host':
      return known(pullHost ?? pushHost, registry, 'host');
    case 'push-host':
      return known(pushHost, registry, 'host');
    case 'cert':
      return certificateOf(registry, cluster);
    case 'username':
    case 'password':
    case 'token':
      return loginOf(registry, field, cluster);
  }
}

async function certificateOf(registry: Registry, cluster: KubernetesClient): Promise<string> {
  const ca = await registryCa({ kubernetes: cluster, registry });
  return known(ca, registry, 'certificate').trim();
}

async function loginOf(
  registry: Registry,
  field: 'username' | 'password' | 'token',
  cluster: KubernetesClient,
): Promise<string> {
  if (isOpenShift(registry) && loginSecretOf(registry.spec) === undefined) {
    throw new NotFoundError(
      `Cannot tell the ${field} of registry "${registry.metadata.name}": its surrogate logs in with short-lived tokens of its own; people log in with: oc registry login`,
    );
  }
  const data = await secretData(registry, loginSecretOf(registry.spec), 'login', cluster);
  const direct = data[field];
  if (direct) return direct;
  const config = data['.dockerconfigjson'] ?? data['config.json'];
  const host = registry.status?.pushHost;
  const logins = parseLogins(config ?? '{}');
  const found = host ? await dockerConfigCredentials(logins)(host) : undefined;
  return known(found && fieldOf(found, field), registry, field);
}

/** Without helpers: what a Secret says is not run on this machine. */
function parseLogins(text: string): DockerConfig {
  try {
    return { auths: DockerConfig.parse(JSON.parse(text)).auths };
  } catch {
    // Without the parser's words: they quote the Secret.
    throw new InputError('Cannot read the login Secret: want a docker config with "auths"');
  }
}

function fieldOf(
  credentials: Credentials,
  field: 'username' | 'password' | 'token',
): string | undefined {
  if (credentials.kind === 'basic') return field === 'token' ? undefined : credentials[field];
  return field === 'token' ? credentials.token : undefined;
}

async function secretData(
  registry: Registry,
  name: string | undefined,
  what: string,
  cluster: KubernetesClient,
): Promise<Record<string, string>> {
  const { namespace } = registry.metadata;
  const secret = await cluster.get<Secret>(
    resourceTypes.Secret,
    known(name, registry, what),
    namespace,
  );
  const entries = Object.entries(secret.data ?? {});
  return Object.fromEntries(
    entries.map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]),
  );
}

function known(text: string | undefined, registry: Registry, what: string): string {
  if (text) return text;
  const { name, namespace } = registry.metadata;
  throw new NotFoundError(
    `Cannot tell the ${what} of registry "${name}": it has none (yet); see \`reposure registry describe ${name} -n ${namespace}\``,
  );
}
