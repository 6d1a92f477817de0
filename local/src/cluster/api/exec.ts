import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { WebSocketServer } from 'ws';

import type { ExecRequest, NodeBackends } from './backends.ts';
import { containerPlaceOf } from './containers.ts';
import type { ApiContext } from './context.ts';
import { chooseProtocol, ExecChannel } from './exec-channel.ts';
import type { RequestInfo } from './request-info.ts';
import { isTrue } from './request-info.ts';
import { badRequest, methodNotAllowed, noSuchPath, StatusError } from './status.ts';

/** A request to upgrade the connection. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** As the API server has it; permessage-deflate is never negotiated. */
const maxMessageBytes = 32 * 1024 * 1024;

/** Takes over connections for `pods/NAME/exec`. */
export class ExecServer {
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: chooseProtocol,
  });

  /** Starts a program on an upgraded connection. @throws {StatusError} before the upgrade, if it cannot be. */
  serve(context: ApiContext, info: RequestInfo, { request, socket, head }: Upgrade): void {
    const wanted = execRequestOf(context, info);
    refuseOtherUpgrades(request);
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      void run(context.backends, wanted, new ExecChannel(client));
    });
  }

  /** Cuts every connection. */
  close(): void {
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
  }
}

/** What an exec's path and query ask for. @throws {StatusError} 400 or 404 */
export function execRequestOf(context: ApiContext, { target, query }: RequestInfo): ExecRequest {
  if (!target) throw noSuchPath();
  const place = containerPlaceOf(context, target, query.get('container'));
  const command = query.getAll('command');
  if (command.length === 0)
    throw badRequest('you must specify at least one command for the container');
  const stdin = isTrue(query.get('stdin'));
  return { ...place, command, stdin, tty: isTrue(query.get('tty')) };
}

function refuseOtherUpgrades({ method, headers }: IncomingMessage): void {
  if (method !== 'GET') throw methodNotAllowed();
  if (headers.upgrade?.toLowerCase() !== 'websocket') {
    throw new StatusError(
      400,
      'BadRequest',
      `Cannot upgrade to ${headers.upgrade ?? 'nothing'}: want websocket, the only one spoken here`,
    );
  }
  const offered = new Set((headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/));
  if (chooseProtocol(offered) === false) {
    throw badRequest('Cannot exec: want the subprotocol v5.channel.k8s.io or v4.channel.k8s.io');
  }
}

async function run(
  backends: NodeBackends,
  wanted: ExecRequest,
  channels: ExecChannel,
): Promise<void> {
  if (!wanted.stdin) channels.stdin.push(null);
  try {
    await channels.exit(await backends.exec(wanted, channels));
  } catch (error) {
    await channels.exit({ error });
  }
}
