import { NotFoundError } from '../errors.ts';
import { KubernetesError, resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesClient, KubernetesObject } from '../kubernetes/index.ts';
import { serviceHost, simplePort } from '../providers/index.ts';
import { names } from '../resource/index.ts';

/** By which names an installed simple registry is reached. */
export interface SimpleHosts {
  readonly pushHost: string;
  /** `undefined` without a node port. */
  readonly pullHost: string | undefined;
  /** Of the Ingress, where there is one. */
  readonly ingressHost?: string | undefined;
}

interface Service extends KubernetesObject {
  spec?: { ports?: readonly { port: number; nodePort?: number }[] };
}

interface Ingress extends KubernetesObject {
  spec?: { rules?: readonly { host?: string }[] };
}

/**
 * By which names the simple registry of a namespace is reached.
 *
 * @throws {NotFoundError} if there is none.
 */
export async function simpleHosts(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<SimpleHosts> {
  const service = await kubernetes.find<Service>(resourceTypes.Service, names.simple, namespace);
  if (service === undefined) throw noSimple(namespace);
  const nodePort = service.spec?.ports?.find((each) => each.port === simplePort)?.nodePort;
  const ingressHost = await ingressHostOf(kubernetes, namespace);
  return {
    pushHost: serviceHost(names.simple, namespace, simplePort),
    pullHost: nodePort === undefined ? undefined : `localhost:${nodePort}`,
    ...(ingressHost === undefined ? {} : { ingressHost }),
  };
}

/** There is no simple registry in a namespace. */
export function noSimple(namespace: string): NotFoundError {
  return new NotFoundError(
    `Cannot find the simple registry: there is none in namespace "${namespace}"; want: reposure simple install -n ${namespace}`,
  );
}

async function ingressHostOf(
  kubernetes: KubernetesClient,
  namespace: string,
): Promise<string | undefined> {
  try {
    const found = await kubernetes.find<Ingress>(resourceTypes.Ingress, names.simple, namespace);
    return found?.spec?.rules?.[0]?.host;
  } catch (error) {
    // The host by which nodes pull is still there to be told.
    if (error instanceof KubernetesError && error.isForbidden) return undefined;
    throw error;
  }
}
