import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { LinkAnswer, LinkRequest } from './link-process.ts';
import type { LinkCounts, LinkShape } from './link-relay.ts';

/** The links that there are, by the names that `--link` takes. */
export const linkShapes = {
  loopback: { delayMs: 0, bytesPerSecond: Infinity },
  '40ms-1gbit': { delayMs: 20, bytesPerSecond: 125_000_000 },
  '40ms-100mbit': { delayMs: 20, bytesPerSecond: 12_500_000 },
} as const satisfies Record<string, LinkShape>;

export type LinkName = keyof typeof linkShapes;

/** Whether it is one of {@link linkShapes}. */
export function isLinkName(text: string): text is LinkName {
  return Object.hasOwn(linkShapes, text);
}

/** A link in a process of its own. */
export interface Link extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  counts(): Promise<LinkCounts>;
  /** Cuts all connections when clients have sent so many bytes from the link's start on. */
  cutAt(upBytes: readonly number[]): Promise<LinkCounts>;
}

/** Lays a link to `ADDRESS:PORT`. */
export async function openLink(
  target: string,
  { delayMs, bytesPerSecond }: LinkShape,
): Promise<Link> {
  const program = fileURLToPath(new URL('link-process.ts', import.meta.url));
  const child = fork(program, [target, String(delayMs), String(bytesPerSecond)]);
  const first = await answerOf(child);
  if (!('host' in first)) throw new TypeError('Cannot open a link: it did not say where it is');
  const ask = async (request: LinkRequest): Promise<LinkCounts> => {
    const answered = answerOf(child);
    child.send(request);
    const answer = await answered;
    if (!('counts' in answer)) throw new TypeError('Cannot ask a link: it answered something else');
    return answer.counts;
  };
  return {
    host: first.host,
    counts: () => ask({ ask: 'counts' }),
    cutAt: (upBytes) => ask({ cutAt: upBytes }),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function answerOf(child: ChildProcess): Promise<LinkAnswer> {
  const over = new AbortController();
  const { signal } = over;
  try {
    const [answer] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([status]) => {
        throw new Error(`A link has ended with ${status}`);
      }),
    ]);
    return answer as LinkAnswer;
  } finally {
    over.abort();
  }
}
