import { acr } from './acr.ts';
import { ecr } from './ecr.ts';
import { gar } from './gar.ts';
import { ghcr } from './ghcr.ts';
import { harbor } from './harbor.ts';
import type { HostedKind } from './hosted-kind.ts';
import { quay } from './quay.ts';

/** The products that are told by their host name, or by a person. */
export const hostedKinds: readonly HostedKind[] = [harbor, quay, ghcr, ecr, gar, acr];

/** The product behind a host name; `undefined` for a registry that nobody knows by its name. */
export function hostedKindOf(host: string): HostedKind | undefined {
  return hostedKinds.find(({ hosts }) => hosts?.test(host.toLowerCase()));
}
