import type { Duplex } from 'node:stream';

/** What {@link watchForLife} is told. */
export interface VitalSigns {
  readonly intervalMs: number;
  readonly silenceLimitMs: number;
  /** Each interval: asks the other side for a byte. */
  readonly ask: () => void;
  /** Once, when the limit is reached without one. */
  readonly onSilence: () => void;
}

/**
 * Notices that nothing arrives any more: a connection can be dead without anybody saying so.
 *
 * It counts intervals and not the time: a process that was stopped or busy for longer than the
 * limit finds its clock far ahead before it has read what has been waiting for it.
 *
 * @returns Ends the watch.
 */
export function watchForLife(stream: Duplex, signs: VitalSigns): () => void {
  const limit = Math.max(1, Math.ceil(signs.silenceLimitMs / signs.intervalMs));
  let silent = 0;
  const heard = (): void => {
    silent = 0;
  };
  const timer = setInterval(() => {
    silent += 1;
    if (silent <= limit) {
      signs.ask();
      return;
    }
    stop();
    signs.onSilence();
  }, signs.intervalMs);
  const stop = (): void => {
    clearInterval(timer);
    stream.off('data', heard);
  };
  stream.on('data', heard);
  return stop;
}
