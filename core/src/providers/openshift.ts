import { resourceTypes } from '../kubernetes/index.ts';
import { openShiftRegistryHost } from '../resource/index.ts';
import { look, sightingOf } from './look.ts';
import type { Place } from './look.ts';
import { asTheSpecSays, configuredByCluster } from './node-pulling.ts';
import { refuseEndpoint, unresolved } from './provider.ts';
import type { Provider } from './provider.ts';
import { portOf, unseen } from './service.ts';
import type { Service } from './service.ts';

const place: Place = {
  type: resourceTypes.Service,
  namespace: 'openshift-image-registry',
  name: 'image-registry',
};
const what = 'Service openshift-image-registry/image-registry';

/**
 * OpenShift's own registry: TLS by the service CA, login with a token of the surrogate's
 * ServiceAccount, repositories that are image streams of projects.
 *
 * @see https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/registry/
 */
export const openshift: Provider = {
  name: 'openshift',
  summary: "OpenShift's own registry; PROJECT/NAME; login by ServiceAccount, made by itself",
  resolve: async (registry, kubernetes) => {
    refuseEndpoint(registry);
    const { spec } = registry;
    if (spec.insecure === true) {
      const state = "insecure is true, but OpenShift's registry always has TLS; remove it";
      throw unresolved(registry, 'SpecInvalid', state);
    }
    const found = await look<Service>(kubernetes, place);
    if (found === undefined) {
      const state = `there is no ${what}; want OpenShift, and its registry not Removed: oc get configs.imageregistry.operator.openshift.io cluster`;
      throw unresolved(registry, 'ServiceNotFound', state);
    }
    if (found !== 'hidden') portOf(found, 5000, registry);
    return {
      provider: 'openshift',
      pushHost: openShiftRegistryHost,
      pullHost: spec.pullHost ?? openShiftRegistryHost,
      insecure: false,
      isOpenShift: true,
      nodes: spec.pullHost
        ? asTheSpecSays(spec.pullHost)
        : configuredByCluster(
            openShiftRegistryHost,
            'OpenShift tells its nodes that name and its CA, and accounts of the project may pull',
          ),
      note: found === 'hidden' ? unseen(what) : undefined,
    };
  },
  sight: async (_, kubernetes) => sightingOf(kubernetes, place),
};
