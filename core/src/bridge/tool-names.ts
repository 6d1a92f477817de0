import { collect, streamOf } from '../bytes.ts';
import { scopesOf } from '../registry/scope.ts';
import type { RegistryRequest, RegistryResponse, Transport } from '../registry/transport.ts';
import type { Registry } from '../resource/registry.ts';

/** What the registry calls a repository that a tool calls so. */
export type RegistryName = (toolName: string) => string;

const maxRewrittenBytes = 4 * 1024 * 1024;

/**
 * How the tools' names become the registry's: where every repository lies in a project, a name
 * without one is in the Registry's own, so that `docker push localhost:5001/app` means the same
 * everywhere.
 */
export function registryNames(registry: Registry): RegistryName {
  const provider = registry.status?.provider ?? registry.spec.provider;
  if (provider !== 'openshift') return (name) => name;
  return (name) => (name.includes('/') ? name : `${registry.metadata.namespace}/${name}`);
}

/** Sends requests under the registry's names, and answers with those that were asked for. */
export function inToolNames(send: Transport, nameOf: RegistryName): Transport {
  return async (request) => {
    const { repository } = scopesOf(request);
    if (repository === undefined) return await send(request);
    const name = nameOf(repository);
    const response = await send({ ...request, path: pathOf(request, repository, nameOf) });
    return name === repository ? response : await renamed(response, { name, repository, request });
  };
}

function pathOf({ path }: RegistryRequest, repository: string, nameOf: RegistryName): string {
  const [bare = '', query] = path.split(/\?(.*)/s);
  const target = bare.replace(`/v2/${repository}/`, `/v2/${nameOf(repository)}/`);
  if (query === undefined) return target;
  const parameters = new URLSearchParams(query);
  const from = parameters.get('from');
  // As it was, unless there is a name in it: it may be the secret of an upload.
  if (from === null || nameOf(from) === from) return `${target}?${query}`;
  parameters.set('from', nameOf(from));
  return `${target}?${parameters.toString()}`;
}

interface Renaming {
  readonly name: string;
  readonly repository: string;
  readonly request: RegistryRequest;
}

async function renamed(
  response: RegistryResponse,
  { name, repository, request }: Renaming,
): Promise<RegistryResponse> {
  const headers: Record<string, string> = { ...response.headers };
  for (const key of ['location', 'link']) {
    const value = headers[key];
    if (value) headers[key] = value.replaceAll(`/v2/${name}/`, `/v2/${repository}/`);
  }
  const isList = request.path.split('?')[0]?.endsWith('/tags/list');
  const isText = request.method !== 'HEAD' && (isList || response.status >= 400);
  if (!isText) return { ...response, headers };
  const text = String(await collect(response.body, 'an answer', maxRewrittenBytes));
  const body = Buffer.from(text.replaceAll(name, repository));
  headers['content-length'] = String(body.byteLength);
  return { ...response, headers, body: streamOf(body), discard: async () => {} };
}
