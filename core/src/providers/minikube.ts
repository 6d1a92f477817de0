import { resourceTypes } from '../kubernetes/index.ts';
import { speaksPlainHttp } from '../resource/index.ts';
import { look } from './look.ts';
import type { Place } from './look.ts';
import { asTheSpecSays, configuredByCluster } from './node-pulling.ts';
import { refuseEndpoint, unresolved } from './provider.ts';
import type { Provider } from './provider.ts';
import { serviceHost, unseen } from './service.ts';
import type { Service } from './service.ts';

const place: Place = { type: resourceTypes.Service, namespace: 'kube-system', name: 'registry' };
const label = ['kubernetes.io/minikube-addons', 'registry'] as const;
const what = `Service kube-system/registry with the label ${label.join('=')}`;
/** Older add-ons also list 443, which nothing serves. */
const port = 80;
/** The DaemonSet `registry-proxy` has this port of every node. */
const pullHost = 'localhost:5000';

/**
 * minikube's add-on "registry": plain HTTP, no login, and gone with its Pod, as it has no volume.
 * Its names are well known, so that no right in kube-system is wanted.
 *
 * @see https://github.com/kubernetes/minikube/tree/v1.37.0/deploy/addons/registry
 */
export const minikube: Provider = {
  name: 'minikube',
  summary: "minikube's add-on (minikube addons enable registry); plain HTTP",
  resolve: async (registry, kubernetes) => {
    refuseEndpoint(registry);
    const found = await look<Service>(kubernetes, place);
    if (found !== 'hidden' && !isAddOn(found)) {
      const state = `there is no ${what}; want minikube, and: minikube addons enable registry`;
      throw unresolved(registry, 'ServiceNotFound', state);
    }
    const { spec } = registry;
    return {
      provider: 'minikube',
      pushHost: serviceHost(place.name, place.namespace, port),
      pullHost: spec.pullHost ?? pullHost,
      insecure: speaksPlainHttp(spec, 'minikube'),
      nodes: spec.pullHost
        ? asTheSpecSays(spec.pullHost)
        : configuredByCluster(pullHost, 'the add-on’s DaemonSet registry-proxy has that port'),
      note: found === 'hidden' ? unseen(what) : undefined,
    };
  },
  sight: async (_, kubernetes) => {
    const found = await look<Service>(kubernetes, place);
    if (found === 'hidden') return { state: 'hidden', what };
    return { state: isAddOn(found) ? 'there' : 'absent', what };
  },
};

/** Other things are called `registry` in kube-system, too. */
function isAddOn(found: Service | undefined): boolean {
  const [key, value] = label;
  return found?.metadata.labels?.[key] === value;
}
