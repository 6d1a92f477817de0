import {
  clusterInputs,
  flag,
  optional,
  summaryInput,
  text,
  timeoutInput,
  withDefault,
} from '@reposure/action-shared';
import { isHost, providerNames, wantsEndpoint } from '@reposure/core/providers';
import * as z from 'zod';

/** The inputs of this step. */
export const Inputs = z
  .object({
    ...clusterInputs,
    operator: withDefault(
      'install',
      'install puts the operator into the namespace, or upgrades it; check only waits until it works; skip asks nobody, for an operator of another namespace',
      z.enum(['install', 'check', 'skip'], 'wants install, check or skip'),
    ),
    image: optional(
      "The operator's image, and that of the surrogates; this version's by default",
      text,
    ),
    simple: withDefault(
      'false',
      'Install the simple registry, on a port of every node, where the cluster has no registry of its own',
      flag,
    ),
    registry: withDefault('default', 'Name of the Registry resource, which is waited for', text),
    provider: optional(
      'Create that Registry, or change it: with what finds the registry (auto, simple, minikube, …)',
      z.enum(providerNames, `wants one of ${providerNames.join(', ')}`),
    ),
    host: optional(
      'Create that Registry, or change it: for the registry at this host[:port]',
      z.string().refine(isHost, 'wants host[:port]'),
    ),
    cli: withDefault('true', 'Put `reposure` on the PATH of the steps behind this one', flag),
    bridge: withDefault(
      'false',
      'Start a bridge: a registry on localhost for docker, podman, buildah and others, until the job ends. Sets REGISTRY, and DOCKER_CONFIG and the like with its login',
      flag,
    ),
    'export-kubeconfig': withDefault(
      'false',
      'Set KUBECONFIG for the steps behind this one, until the job ends, and the output `kubeconfig`',
      flag,
    ),
    timeout: timeoutInput('5m'),
    summary: summaryInput,
  })
  .check(({ value, issues }) => {
    for (const [name, message] of contradictionsIn(value)) {
      issues.push({ code: 'custom', path: [name], message, input: value });
    }
  });
export type Inputs = z.infer<typeof Inputs>;

type Choices = Pick<Inputs, 'host' | 'image' | 'operator' | 'provider' | 'simple'>;

function contradictionsIn(inputs: Choices): [name: string, message: string][] {
  const { image, operator } = inputs;
  const found = registryContradictions(inputs);
  if (image !== undefined && operator !== 'install') {
    found.push(['image', `contradicts "operator": nothing is installed by ${operator}`]);
  }
  return found;
}

/** One registry, and no two. */
function registryContradictions({ host, provider, simple }: Choices): [string, string][] {
  const found: [string, string][] = [];
  if (provider !== undefined && wantsEndpoint(provider) !== (host !== undefined)) {
    const state = host === undefined ? 'is required by' : 'contradicts';
    found.push(['host', `${state} "provider": ${provider}`]);
  }
  if (simple && (host ?? provider ?? 'simple') !== 'simple') {
    found.push(['simple', 'contradicts "host" and "provider": they name another registry']);
  }
  return found;
}
