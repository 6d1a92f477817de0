import { explain } from '../errors.ts';
import { KubernetesError } from '../kubernetes/index.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import { silent } from '../log.ts';
import type { Log } from '../log.ts';
import { renewCertificates } from './simple-certificates.ts';
import { endAbandonedCollection } from './simple-gc.ts';

/** How a simple registry is looked after. */
export interface MaintenanceOptions {
  readonly log?: Log | undefined;
  readonly now?: Date | undefined;
}

/**
 * What a simple registry needs now and then, and nobody is there to do: the next step in the life of
 * its certificates, and an end to read-only where a garbage collection was killed.
 *
 * Cheap where there is no simple registry: two requests. Whatever fails is said, and is tried again
 * the next time.
 */
export async function maintainSimple(
  kubernetes: KubernetesClient,
  namespace: string,
  { log = silent, now }: MaintenanceOptions = {},
): Promise<void> {
  const steps = [
    () => renewCertificates(kubernetes, namespace, { log, now }),
    () => endAbandonedCollection(kubernetes, namespace, now),
  ];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      // Somebody else was quicker; what they did is looked at the next time.
      if (error instanceof KubernetesError && error.status === 409) continue;
      log.warn(`Simple registry of namespace ${namespace}: ${explain(error)}`);
    }
  }
}
