import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { connect } from 'node:net';

import type { Container, Probe } from './objects.ts';

/** What a probe asks. */
export interface ProbeTarget {
  readonly podIp: string;
  readonly container: Container;
  /** Starts a command in the container. */
  start(command: readonly string[]): Promise<ChildProcess>;
}

/** What kubectl describe shows of a body. */
const shownBytes = 1024;

/**
 * Asks once.
 *
 * @returns Why it failed, or `undefined` for a success.
 */
export async function ask(target: ProbeTarget, probe: Probe): Promise<string | undefined> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (probe.httpGet) return await askHttp(target, probe.httpGet, timeoutMs);
    if (probe.tcpSocket) return await askTcp(target, probe.tcpSocket, timeoutMs);
    if (probe.exec) return await askExec(target, probe.exec.command, timeoutMs);
    return 'the embedded cluster has no probe of this kind; want httpGet, tcpSocket or exec';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The number of a port that is named by number or by name. @throws {Error} if there is no such name. */
export function portOf({ name, ports = [] }: Container, port: number | string): number {
  const number = Number(port);
  if (Number.isInteger(number)) return number;
  const found = ports.find((each) => each.name === port);
  if (!found) throw new Error(`container ${name} has no port named "${port}"`);
  return found.containerPort;
}

async function askHttp(
  { podIp, container }: ProbeTarget,
  { path = '/', port, host = podIp, scheme, httpHeaders = [] }: NonNullable<Probe['httpGet']>,
  timeoutMs: number,
): Promise<string | undefined> {
  const options = {
    host,
    port: portOf(container, port),
    path,
    agent: false,
    headers: {
      'user-agent': 'kube-probe/1.36',
      ...Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value])),
    },
    signal: AbortSignal.timeout(timeoutMs),
  };
  // The kubelet does not verify certificates either.
  const request =
    scheme === 'HTTPS' ? https.get({ ...options, rejectUnauthorized: false }) : http.get(options);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const status = response.statusCode ?? 0;
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) {
    if (body.length < shownBytes) body += chunk as string;
  }
  return status >= 200 && status < 400
    ? undefined
    : `HTTP probe failed with statuscode: ${status}${body && `: ${body.slice(0, shownBytes)}`}`;
}

async function askTcp(
  { podIp, container }: ProbeTarget,
  { host = podIp, port }: NonNullable<Probe['tcpSocket']>,
  timeoutMs: number,
): Promise<undefined> {
  const socket = connect({ host, port: portOf(container, port) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
  } finally {
    socket.destroy();
  }
}

async function askExec(
  target: ProbeTarget,
  command: readonly string[],
  timeoutMs: number,
): Promise<string | undefined> {
  const child = await target.start(command);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < shownBytes) said += text;
    });
  }
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await once(child, 'close');
  clearTimeout(timer);
  if (child.exitCode === 0) return undefined;
  return child.exitCode === null ? `command timed out after ${timeoutMs} ms` : said.trim();
}
