import { parse } from 'yaml';
import * as z from 'zod';

import { resourceTypes } from '../kubernetes/index.ts';
import type { KubernetesObject } from '../kubernetes/index.ts';
import type { Registry } from '../resource/index.ts';
import { requireHost } from './host.ts';
import type { Place } from './look.ts';
import { describePlace } from './look.ts';
import { unresolved } from './provider.ts';

/** Where a cluster says which registry it comes with. */
export const hostingPlace: Place = {
  type: resourceTypes.ConfigMap,
  namespace: 'kube-public',
  name: 'local-registry-hosting',
};

/** That ConfigMap, as the API serves it. */
export interface HostingConfigMap extends KubernetesObject {
  data?: Readonly<Record<string, string>>;
}

const key = 'localRegistryHosting.v1';

/**
 * What it says.
 *
 * @see https://github.com/kubernetes/enhancements/tree/master/keps/sig-cluster-lifecycle/generic/1755-communicating-a-local-registry
 */
const LocalRegistryHosting = z.object({
  /** As the person at the machine sees it. */
  host: z.string().optional(),
  /** As nodes see it; `host` by default. */
  hostFromContainerRuntime: z.string().optional(),
  /** As Pods see it; without it, they are to take it for unreachable. */
  hostFromClusterNetwork: z.string().optional(),
  /** A URL of the documentation of whoever wrote it. */
  help: z.string().optional(),
});
export type LocalRegistryHosting = z.infer<typeof LocalRegistryHosting>;

/** Reads the ConfigMap. @throws {ResolutionError} if it says something else. */
export function hostingOf(found: HostingConfigMap, registry: Registry): LocalRegistryHosting {
  const parsed = LocalRegistryHosting.safeParse(documentOf(found.data?.[key]));
  if (!parsed.success) {
    const state = `${describePlace(hostingPlace)} has no document under ${key} that names a host; want what KEP-1755 describes`;
    throw unresolved(registry, 'SpecInvalid', state);
  }
  const { help: _, ...hosts } = parsed.data;
  for (const [field, text = ''] of Object.entries(hosts)) {
    requireHost(registry, `${describePlace(hostingPlace)}: ${field}`, text);
  }
  return parsed.data;
}

function documentOf(text: string | undefined): unknown {
  try {
    return parse(text ?? '');
  } catch {
    return undefined;
  }
}
