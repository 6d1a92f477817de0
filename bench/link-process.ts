import { startLinkRelay } from './link-relay.ts';
import type { LinkCounts } from './link-relay.ts';

// A link as a process of its own, so that it costs neither the client's time nor the bench's:
// TARGET DELAY_MS BYTES_PER_SECOND. It ends with its parent.

/** What its parent asks of it. */
export type LinkRequest = { readonly cutAt: readonly number[] } | { readonly ask: 'counts' };

/** What it says. */
export type LinkAnswer = { readonly host: string } | { readonly counts: LinkCounts };

const [target = '', delayMs, bytesPerSecond] = process.argv.slice(2);
const relay = await startLinkRelay(target, {
  delayMs: Number(delayMs),
  bytesPerSecond: Number(bytesPerSecond),
});
const say = (answer: LinkAnswer): void => void process.send?.(answer);

process.on('message', (request: LinkRequest) => {
  if ('cutAt' in request) relay.cutAt(request.cutAt);
  // After a cut, too: who asked for one may want to know that it has been heard.
  say({ counts: relay.counts() });
});
process.on('disconnect', () => process.exit());
say({ host: relay.host });
