import type { ProgressEvent } from '../progress.ts';
import { describeBytes, describeDuration } from '../quantities.ts';

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
    case 'finished': {
      const { digest, size } = event.descriptor;
      return `${digest.slice(7, 19)}  ${event.outcome}  ${describeBytes(size)}`;
    }
    case 'retrying':
      return `${event.what.slice(0, 19)}: again in ${describeDuration(event.delayMs)}: ${event.reason}`;
  }
}
