import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What a registry answers. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Sends so many bytes of the body, and then breaks the connection. */
  readonly breaksAfter?: number;
}

/** What was asked. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** Another answer instead of the honest one; `undefined` leaves it as it is. */
export type Misbehaviour = (
  asked: Asked,
  honest: () => Promise<Answered>,
) => Promise<Answered | undefined> | Answered | undefined;

/** A registry that does what it should not, in front of one that does what it should. */
export interface MisbehavingRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  close(): Promise<void>;
}

/** Starts one. @param honest `ADDRESS:PORT` of the registry that answers everything else. */
export async function startMisbehaving(
  honest: string,
  misbehave: Misbehaviour,
): Promise<MisbehavingRegistry> {
  const server = createServer((request, response) => {
    const serve = async (): Promise<void> => {
      const body = await buffer(request);
      const { method = '', url = '', headers } = request;
      let known: Promise<Answered> | undefined;
      const forward = (): Promise<Answered> =>
        (known ??= answerOf(honest, { method, url, headers }, body));
      const answer = (await misbehave({ method, url, headers }, forward)) ?? (await forward());
      response.writeHead(answer.status, answer.headers);
      if (answer.breaksAfter === undefined) {
        response.end(answer.body);
        return;
      }
      response.write(answer.body.subarray(0, answer.breaksAfter), () => response.destroy());
    };
    serve().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answerOf(
  host: string,
  { method, url, headers }: Asked,
  body: Buffer,
): Promise<Answered> {
  const passed = { ...headers, host, connection: 'close' };
  const request = ask(`http://${host}${url}`, { method, headers: passed, agent: false });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  const content = await buffer(answer);
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...kept } = answer.headers;
  return { status: answer.statusCode ?? 0, headers: kept, body: content };
}
