import { resourceTypes } from '../kubernetes/index.ts';
import { speaksPlainHttp } from '../resource/index.ts';
import { look, sightingOf } from './look.ts';
import type { Place } from './look.ts';
import { asTheSpecSays, configuredByCluster } from './node-pulling.ts';
import { refuseEndpoint, unresolved } from './provider.ts';
import type { Provider } from './provider.ts';
import { nodeHostOf, portOf, serviceHost, unseen } from './service.ts';
import type { Service } from './service.ts';

const place: Place = {
  type: resourceTypes.Service,
  namespace: 'container-registry',
  name: 'registry',
};
const what = 'Service container-registry/registry';
const port = 5000;
const usualPullHost = 'localhost:32000';

/**
 * MicroK8s's add-on "registry": plain HTTP, no login. With several nodes, pulls of large images fail
 * on those that do not run it (canonical/microk8s#1075).
 *
 * @see https://github.com/canonical/microk8s-core-addons/blob/main/addons/registry/registry.yaml
 */
export const microk8s: Provider = {
  name: 'microk8s',
  summary: "MicroK8s's add-on (microk8s enable registry); plain HTTP",
  resolve: async (registry, kubernetes) => {
    refuseEndpoint(registry);
    const found = await look<Service>(kubernetes, place);
    if (found === undefined) {
      const state = `there is no ${what}; want MicroK8s, and: microk8s enable registry`;
      throw unresolved(registry, 'ServiceNotFound', state);
    }
    if (found !== 'hidden') portOf(found, port, registry);
    const { spec } = registry;
    const pullHost = (found === 'hidden' ? undefined : nodeHostOf(found, port)) ?? usualPullHost;
    return {
      provider: 'microk8s',
      pushHost: serviceHost(place.name, place.namespace, port),
      pullHost: spec.pullHost ?? pullHost,
      insecure: speaksPlainHttp(spec, 'microk8s'),
      nodes: spec.pullHost
        ? asTheSpecSays(spec.pullHost)
        : configuredByCluster(
            pullHost,
            'MicroK8s tells containerd so (on clusters of several nodes, pulls may fail: canonical/microk8s#1075)',
          ),
      note: found === 'hidden' ? unseen(what) : undefined,
    };
  },
  sight: async (_, kubernetes) => sightingOf(kubernetes, place),
};
