import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';

import { makeServerCertificate } from '@reposure/core';

/** A server between a client and a Kubernetes API, which notes what is asked. */
export interface RequestRecorder {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  readonly caPem: string;
  /** `METHOD PATH?QUERY`, as they came. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Starts a recorder in front of an API. */
export async function startRequestRecorder(api: {
  readonly url: string;
  readonly caPem: string;
}): Promise<RequestRecorder> {
  const names = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] };
  const { caPem, certificatePem, keyPem } = await makeServerCertificate(names);
  const { hostname, port } = new URL(api.url);
  const target = { host: hostname, port: Number(port), ca: api.caPem };
  const requests: string[] = [];
  const note = ({ method, url }: IncomingMessage): void => void requests.push(`${method} ${url}`);
  const server = createServer({ cert: certificatePem, key: keyPem });
  server.on('request', (request, response) => {
    note(request);
    const { method, url: path, headers } = request;
    const forwarded = httpsRequest({ ...target, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  });
  server.on('upgrade', (request, socket, head) => {
    note(request);
    const { method, url, rawHeaders } = request;
    const upstream = connect(target, () => {
      const lines = [`${method} ${url} HTTP/1.1`];
      for (let at = 0; at < rawHeaders.length; at += 2) {
        lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
      }
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    socket.on('close', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caPem,
    requests,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
