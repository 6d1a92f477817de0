import { streamOf } from '../bytes.ts';
import { UnsupportedError } from '../errors.ts';
import type { ApiObject, KubernetesClient, ResourceType } from '../kubernetes/client.ts';
import type { RegistryRequest, RegistryResponse, Transport } from '../registry/transport.ts';
import type { Registry } from '../resource/registry.ts';

const group = 'image.openshift.io/v1';
const imageStreams: ResourceType = {
  apiVersion: group,
  kind: 'ImageStream',
  plural: 'imagestreams',
  namespaced: true,
};
const imageStreamTags: ResourceType = {
  apiVersion: group,
  kind: 'ImageStreamTag',
  plural: 'imagestreamtags',
  namespaced: true,
};

/** Whose image streams, and where. */
export interface ImageStreamOptions {
  /** With the rights of whoever asks: the surrogate's account may neither list nor delete. */
  readonly kubernetes: KubernetesClient;
  readonly registry: Registry;
}

/**
 * The distribution API of OpenShift's registry, with what it leaves to the Kubernetes API: its
 * catalog wants a right in the whole cluster, and it deletes no manifest that a stream refers to.
 *
 * @see https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/images/managing-image-streams
 */
export function imageStreamTransport(send: Transport, options: ImageStreamOptions): Transport {
  return async (request) => {
    const [path = ''] = request.path.split('?');
    if (request.method === 'GET' && path === '/v2/_catalog') return catalogOf(options, request);
    return request.method === 'DELETE' ? deleteAt(path, options, send, request) : send(request);
  };
}

async function catalogOf(
  { kubernetes, registry }: ImageStreamOptions,
  { signal }: RegistryRequest,
): Promise<RegistryResponse> {
  const { namespace } = registry.metadata;
  const { items } = await kubernetes.list<ApiObject>(imageStreams, { namespace, signal });
  const repositories = items.map(({ metadata }) => `${namespace}/${metadata.name}`).toSorted();
  return answer(200, JSON.stringify({ repositories }));
}

/** A tag is an object of its own; a cancelled upload is the registry's. */
async function deleteAt(
  path: string,
  { kubernetes }: ImageStreamOptions,
  send: Transport,
  request: RegistryRequest,
): Promise<RegistryResponse> {
  const [, project = '', name = '', reference = ''] =
    /^\/v2\/([^/]+)\/([^/]+)\/manifests\/([^/]+)$/.exec(path) ?? [];
  if (reference === '') return send(request);
  if (reference.includes(':')) {
    throw new UnsupportedError(
      `Cannot delete ${project}/${name}@${reference}: OpenShift deletes no manifests by themselves; delete their tags, and have an administrator run: oc adm prune images`,
    );
  }
  const isDeleted = await kubernetes.delete(imageStreamTags, `${name}:${reference}`, project);
  return answer(isDeleted ? 202 : 404, '');
}

function answer(status: number, text: string): RegistryResponse {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: streamOf(new TextEncoder().encode(text)),
    discard: async () => {},
  };
}
