import { InputError } from '@reposure/core';
import { describeReference } from '@reposure/core/oci';
import type { Reference, Target } from '@reposure/core/oci';
import type { Registry } from '@reposure/core/resource';
import type { Route, RouteChoice } from '@reposure/core/surrogate';
import {
  isRemote,
  parseDestination,
  parseImageName,
  parseRemote,
  remoteRoute,
} from '@reposure/core/transfer';
import type { CopyDestination, CopySource, Destination } from '@reposure/core/transfer';

import { withRoute } from '../environment.ts';
import type { Environment, RouteOptions } from '../environment.ts';
import { remoteAccess } from './remote.ts';
import { usage } from './transfer.ts';

/** Where a copy comes from and goes to, besides its two names. */
export interface EndFlags extends RouteOptions {
  readonly tag?: readonly string[];
  readonly toRegistry?: string;
  readonly toNamespace?: string;
  readonly toKubeconfig?: string;
  readonly toContext?: string;
  readonly toRoute?: RouteChoice;
  readonly srcInsecure?: boolean;
  readonly srcCa?: string;
  readonly toInsecure?: boolean;
  readonly toCa?: string;
}

/** The two ends of a copy, as the command line names them. */
export interface NamedEnds {
  readonly source: Target;
  /** The host of `docker://…`, if the source is there. */
  readonly sourceHost?: string;
  readonly destination: Destination;
  readonly destinationHost?: string;
}

/** Both ends, open. */
export interface OpenEnds {
  readonly from: CopySource;
  readonly to: CopyDestination;
  /** The Registry that the copy goes to; none if it is outside the cluster. */
  readonly registry?: Registry;
}

/**
 * Parses both names: `NAME[:tag][@digest]` in a Registry, or `docker://HOST/NAME[:tag][@digest]`.
 *
 * @throws {InputError} if one is neither, or if the flags do not go with them.
 */
export function parseEnds(source: string, target: string, flags: EndFlags): NamedEnds {
  const from = isRemote(source) ? usage(() => parseRemote(source)) : undefined;
  const to = isRemote(target) ? usage(() => parseRemote(target)) : undefined;
  refuseFlags({ from, to }, flags);
  return {
    source: usage(() => parseImageName(from ? withoutHost(from) : source)),
    ...(from ? { sourceHost: from.registry } : {}),
    destination: usage(() => parseDestination(to ? withoutHost(to) : target, flags.tag)),
    ...(to ? { destinationHost: to.registry } : {}),
  };
}

/** Opens what both ends need, and closes it afterwards. */
export async function withEnds(
  flags: EndFlags,
  registryName: string,
  ends: NamedEnds,
  work: (environment: Environment, ends: OpenEnds) => Promise<void>,
): Promise<void> {
  const { source: target, sourceHost, destination, destinationHost } = ends;
  if (sourceHost !== undefined) {
    return await withRoute(flags, registryName, (here) =>
      withRemote(
        sourceHost,
        { insecure: flags.srcInsecure, ca: flags.srcCa, own: flags },
        here,
        (route) => {
          const from = { route, target, prefix: `docker://${sourceHost}/` };
          return work(here, {
            from,
            to: { route: here.route, destination },
            registry: here.registry,
          });
        },
      ),
    );
  }
  if (destinationHost !== undefined) {
    return await withRoute({ ...flags, access: 'read' }, registryName, (here) =>
      withRemote(
        destinationHost,
        { insecure: flags.toInsecure, ca: flags.toCa, own: flags },
        here,
        (route) => work(here, { from: { route: here.route, target }, to: { route, destination } }),
      ),
    );
  }
  if (!isElsewhere(flags)) {
    return await withRoute(flags, registryName, (here) => {
      const { route, registry } = here;
      return work(here, { from: { route, target }, to: { route, destination }, registry });
    });
  }
  await withRoute({ ...flags, access: 'read' }, registryName, ({ route, signal }) =>
    withRoute({ ...flagsThere(flags), signal }, flags.toRegistry ?? registryName, (there) => {
      const to = { route: there.route, destination };
      return work(there, { from: { route, target }, to, registry: there.registry });
    }),
  );
}

async function withRemote(
  host: string,
  flags: Parameters<typeof remoteAccess>[0],
  { log }: Environment,
  work: (route: Route) => Promise<void>,
): Promise<void> {
  const route = await remoteRoute(host, await remoteAccess(flags, log));
  try {
    await work(route);
  } finally {
    await route.close();
  }
}

/** Another cluster has another default namespace; in the same one it stays what it is. */
function flagsThere(flags: EndFlags): EndFlags {
  const { toNamespace, toKubeconfig, toContext, toRoute = 'auto' } = flags;
  const { namespace, kubeconfig, context, ...others } = flags;
  const isSameCluster = toKubeconfig === undefined && toContext === undefined;
  const cluster = isSameCluster
    ? { namespace, kubeconfig, context }
    : { kubeconfig: toKubeconfig ?? kubeconfig, context: toContext };
  const named = { ...cluster, ...(toNamespace === undefined ? {} : { namespace: toNamespace }) };
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  return { ...others, ...Object.fromEntries(given), route: toRoute };
}

function isElsewhere({ toRegistry, toNamespace, toKubeconfig, toContext }: EndFlags): boolean {
  return [toRegistry, toNamespace, toKubeconfig, toContext].some((flag) => flag !== undefined);
}

interface ParsedEnds {
  readonly from: Reference | undefined;
  readonly to: Reference | undefined;
}

function refuseFlags({ from, to }: ParsedEnds, flags: EndFlags): void {
  refuseElsewhere({ from, to }, flags);
  if (!from && (flags.srcInsecure ?? flags.srcCa) !== undefined) {
    throw new InputError('Cannot use --src-insecure or --src-ca: the source is not docker://…');
  }
  if (!to && (flags.toInsecure ?? flags.toCa) !== undefined) {
    throw new InputError('Cannot use --to-insecure or --to-ca: the target is not docker://…');
  }
}

function refuseElsewhere({ from, to }: ParsedEnds, flags: EndFlags): void {
  if (from && to) {
    throw new InputError(
      'Cannot copy between two registries outside the cluster: want a name in the Registry at one end, or a tool such as crane or skopeo',
    );
  }
  if ((from ?? to) && isElsewhere(flags)) {
    throw new InputError(
      'Cannot use --to-registry, --to-namespace, --to-kubeconfig or --to-context with docker://: want them for a copy between two Registries; the Registry at this end is the first argument',
    );
  }
}

function withoutHost({ repository, tag, digest }: Target): string {
  return describeReference({ repository, tag, digest });
}
