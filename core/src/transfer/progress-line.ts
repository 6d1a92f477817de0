import type { Descriptor } from '../oci/index.ts';
import type { ProgressEvent } from '../progress.ts';
import { describeBytes, describeDuration } from '../quantities.ts';

/** How long a log hears nothing of a blob that is under way. */
const pauseMs = 10_000;

/**
 * What a log that keeps every line says of a transfer.
 *
 * @returns `undefined` for what is worth no line of its own.
 */
export function progressLineOf(event: ProgressEvent): string | undefined {
  switch (event.type) {
    case 'planned':
    case 'advanced':
      return undefined;
    case 'finished':
      return `${nameOf(event.descriptor)}  ${event.outcome}  ${describeBytes(event.descriptor.size)}`;
    case 'retrying':
      return `${event.what.slice(0, 19)}: again in ${describeDuration(event.delayMs)}: ${event.reason}`;
  }
}

/**
 * Like {@link progressLineOf}, for one transfer: a blob that takes long has a line every 10 seconds.
 *
 * @param nowMs A clock that does not go back.
 */
export function progressLines(
  nowMs: () => number = () => performance.now(),
): (event: ProgressEvent) => string | undefined {
  const saidMs = new Map<string, number>();
  return (event) => {
    if (event.type !== 'advanced') return progressLineOf(event);
    const { descriptor, bytes } = event;
    const now = nowMs();
    const last = saidMs.get(descriptor.digest);
    if (last !== undefined && now - last < pauseMs) return undefined;
    saidMs.set(descriptor.digest, now);
    if (last === undefined) return undefined;
    return `${nameOf(descriptor)}  ${describeBytes(bytes)} of ${describeBytes(descriptor.size)}`;
  };
}

function nameOf({ digest }: Descriptor): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12);
}
