import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { silent } from '@reposure/core';

import type { GivenObject, StoredObject } from '../../api/object.ts';
import { Store } from '../../api/store.ts';
import { LocalNode } from '../local-node.ts';
import type { Program, ProgramTable } from '../program.ts';

/** Only what never comes takes as long; a busy machine is slow. */
const patienceMs = 25_000;

type Awaitable<T> = T | Promise<T>;

/** A node on a store of its own, for tests: no API server. */
export interface TestNode {
  readonly store: Store;
  readonly node: LocalNode;
  readonly directory: string;
  /** Waits until `look` finds something. @throws {Error} saying what was there instead after 25 s. */
  until<T>(look: () => Awaitable<T | undefined | false>, what?: string): Promise<T>;
  close(): Promise<void>;
}

/** The image of {@link startTestNode}: its command is JavaScript that Node runs. */
export const scriptImage = 'script:1';

/** Runs `command[0]` as a JavaScript module; an exec runs what it names. */
export const scriptProgram: Program = {
  mapped: true,
  command: ({ command, args }) =>
    command[0] === 'script'
      ? [process.execPath, '--input-type=module', '-e', command[1] ?? '', '--', ...args]
      : command,
};

/** Starts a node that runs {@link scriptImage}. */
export async function startTestNode(programs: ProgramTable = {}): Promise<TestNode> {
  const store = new Store();
  const directory = mkdtempSync(join(tmpdir(), 'reposure-node-'));
  const binFolder = join(directory, 'bin');
  mkdirSync(binFolder);
  for (const name of ['default', 'other']) {
    store.create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    store.create('serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: name },
    });
  }
  const node = await LocalNode.start({
    store,
    log: silent,
    directory,
    binFolder,
    programs: { [scriptImage]: scriptProgram, ...programs },
    closeGraceMs: 500,
    api: () => ({
      url: 'https://127.0.0.1:1',
      caPem: 'no certificate',
      issueToken: (namespace, account) => `token-of-${namespace}-${account}`,
    }),
  });
  return {
    store,
    node,
    directory,
    until: (look, what = look.toString()) => until(store, look, what),
    close: async () => {
      await node.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function until<T>(
  store: Store,
  look: () => Awaitable<T | undefined | false>,
  what: string,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await delay(10);
  }
  const said = ['pods', 'events'].flatMap((resource) =>
    store.peekAll(resource).map((each) => JSON.stringify(each['status'] ?? each['message'])),
  );
  throw new Error(
    `Cannot see ${what} within ${patienceMs / 1000} s; there is:\n${said.join('\n')}`,
  );
}

/** A Pod of one container that runs a script. @param more Merged into the container. */
export function scriptPod(
  name: string,
  script: string,
  more: Record<string, unknown> = {},
  podSpec: Record<string, unknown> = {},
): GivenObject {
  const container = { name: 'main', image: scriptImage, command: ['script', script], ...more };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: { containers: [container], terminationGracePeriodSeconds: 2, ...podSpec },
  };
}

/** A Secret of plain texts. */
export function secret(name: string, texts: Record<string, string>): GivenObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'default' },
    stringData: texts,
  };
}

/** The status of a Pod, as far as tests read it. */
export function statusOf(object: StoredObject | undefined): {
  phase?: string;
  podIP?: string;
  containerStatuses?: {
    ready: boolean;
    restartCount: number;
    state: Record<string, { reason?: string; exitCode?: number; message?: string }>;
    lastState: Record<string, { reason?: string; exitCode?: number }>;
    containerID?: string;
  }[];
  conditions?: { type: string; status: string; reason?: string }[];
} {
  return object?.['status'] ?? {};
}
