import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';

import type { NodeBackends } from '../backends.ts';
import { startApiServer } from '../server.ts';
import type { ApiServer } from '../server.ts';
import { Store } from '../store.ts';
import { Tokens } from '../tokens.ts';

/** An API server for tests, with programs that run in this process in place of Pods. */
export interface TestCluster extends ApiServer {
  readonly store: Store;
  readonly tokens: Tokens;
  /** A kubeconfig with the administrator's token, JSON. */
  readonly kubeconfig: string;
}

const backends: NodeBackends = {
  exec: async ({ command }, { stdin, stdout, stderr }) => {
    if (command[0] === 'fail') {
      stderr.write('no such thing\n');
      return { exitCode: 3 };
    }
    if (command[0] !== 'cat') stdout.write(`${command.join(' ')}\n`);
    for await (const chunk of stdin) {
      if (!stdout.write(chunk)) await new Promise((resolve) => stdout.once('drain', resolve));
    }
    return { exitCode: 0 };
  },
  logs: async function* logs({ pod }) {
    yield Buffer.from(`first line of ${pod}\n`);
    yield Buffer.from('second line\n');
  },
  proxy: () => Promise.resolve({ host: '127.0.0.1', port: 1 }),
  allocateClusterIp: () => '127.9.0.1',
};

/** Starts an API server for a test; close it. @param overrides What the node half does otherwise. */
export async function startTestCluster(
  overrides: Partial<NodeBackends> = {},
): Promise<TestCluster> {
  const store = new Store();
  const tokens = new Tokens(store);
  const server = await startApiServer({ store, tokens, backends: { ...backends, ...overrides } });
  const ca = Buffer.from(server.caPem).toString('base64');
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin', namespace: 'default' } }],
    clusters: [{ name: 'test', cluster: { server: server.url, 'certificate-authority-data': ca } }],
    users: [{ name: 'admin', user: { token: tokens.adminToken } }],
  });
  return { ...server, store, tokens, kubeconfig };
}

/** A request of a test. */
export interface TestRequest {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Without one, the request is a stranger's. */
  readonly token?: string;
  /** Reads no more than that, and hangs up: a watch has no end of its own. */
  readonly maxLines?: number;
}

/** An answer, read to its end. */
export interface TestAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json(): unknown;
}

/** Sends a request to a test's cluster. */
export async function send(
  cluster: TestCluster,
  path: string,
  { method = 'GET', body, headers = {}, token, maxLines }: TestRequest,
): Promise<TestAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<TestAnswer>();
  const authorization = token ? { Authorization: `Bearer ${token}` } : {};
  const options = { method, ca: cluster.caPem, headers: { ...authorization, ...headers } };
  const outgoing = request(`${cluster.url}${path}`, { ...options, agent: false }, (answer) => {
    const { statusCode: status = 0, headers: received } = answer;
    textOf(answer, maxLines).then((all) => {
      resolve({ status, headers: received, text: all, json: () => JSON.parse(all) as unknown });
      return undefined;
    }, reject);
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

async function textOf(
  answer: IncomingMessage,
  maxLines = Number.POSITIVE_INFINITY,
): Promise<string> {
  let lines: string[] = [''];
  for await (const chunk of answer.setEncoding('utf8')) {
    lines = `${lines.join('\n')}${String(chunk)}`.split('\n');
    if (lines.length > maxLines) return lines.slice(0, maxLines).join('\n');
  }
  return lines.join('\n');
}
