import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { containerPlaceOf } from './containers.ts';
import type { ApiContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { isTrue } from './request-info.ts';
import { noSuchPath } from './status.ts';

/** So long a refusal of the node half can still become a Status; then the headers go out. */
const refusalWindowMs = 250;

/** `pods/NAME/log` @throws {StatusError} */
export async function serveLogs(context: ApiContext, exchange: Exchange): Promise<void> {
  const { response, info } = exchange;
  const { query, target } = info;
  if (!target) throw noSuchPath();
  const gone = new AbortController();
  response.on('close', () => {
    gone.abort();
  });
  const tail = query.get('tailLines');
  const log = context.backends.logs({
    ...containerPlaceOf(context, target, query.get('container')),
    follow: isTrue(query.get('follow')),
    previous: isTrue(query.get('previous')),
    tailLines: tail === null ? undefined : Number(tail),
    signal: gone.signal,
  });
  const lines = log[Symbol.asyncIterator]();
  const first = lines.next();
  await Promise.race([first, delay(refusalWindowMs)]);
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  response.flushHeaders();
  for (let next = await first; next.done !== true; next = await lines.next()) {
    if (gone.signal.aborted) break;
    if (!response.write(next.value)) {
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
  }
  await lines.return?.();
  response.end();
}
