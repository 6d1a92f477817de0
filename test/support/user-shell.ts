import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { openCluster, resourceTypes } from '@reposure/core/kubernetes';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import { parse, stringify } from 'yaml';

import { ownProgram } from './program.ts';
import { runProgram } from './tools.ts';
import type { Finished } from './tools.ts';

/** A cluster, embedded or real, in which a suite makes a namespace of its own. */
export interface ClusterWorld {
  /** With a `KUBECONFIG` of one file. */
  readonly env: Record<string, string>;
  /** Made by the suite, and removed with everything in it. */
  readonly namespace: string;
}

/** Where a suite works as a person does: a folder, a shell, and a namespace that is the current one. */
export interface UserShell {
  readonly directory: string;
  readonly namespace: string;
  /** What the shell has: `KUBECONFIG`, `HOME`, `PATH`. */
  readonly env: Record<string, string>;
  readonly kubernetes: KubernetesClient;
  /** Runs a line of a shell in the folder, with `reposure` and `kubectl-reposure` on the PATH. */
  readonly run: (line: string, input?: Buffer) => Promise<Finished>;
  /** Runs a line that must succeed. @returns its standard output. */
  readonly ok: (line: string, input?: Buffer) => Promise<string>;
  /** Writes another kubeconfig for the same cluster and namespace. @returns the file. */
  readonly kubeconfigOf: (name: string, difference: Difference) => Promise<string>;
  /** Removes the folder and the namespace; does not wait for the namespace. */
  readonly close: () => Promise<void>;
}

/** How somebody comes to the cluster. */
interface Difference {
  /** As somebody else. */
  readonly token?: string;
  /** By another way. */
  readonly server?: { readonly url: string; readonly caPem: string };
}

interface Kubeconfig {
  'current-context': string;
  contexts: { name: string; context: Context }[];
  clusters: { name: string; cluster: unknown }[];
  users: { name: string; user: unknown }[];
}

interface Context {
  namespace?: string;
  user: string;
  cluster: string;
}

/** Makes a shell in a cluster. */
export async function openUserShell({ env, namespace }: ClusterWorld): Promise<UserShell> {
  const directory = await mkdtemp(join(tmpdir(), 'shell-'));
  const text = await readFile(env['KUBECONFIG'] ?? '', 'utf8');
  // Outside of the folder that is the current one: what is pushed from there holds no token.
  const file = `${directory}.kubeconfig`;
  await writeFile(file, stringify(inNamespace(parse(text) as Kubeconfig, namespace)), {
    mode: 0o600,
  });
  const kubernetes = await openCluster({ kubeconfig: file });
  await kubernetes.apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    // What we install must pass where Pods are held to the strictest standard.
    metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  const path = [ownProgram.binFolder, process.env['PATH']].join(delimiter);
  const shellEnv = { ...env, KUBECONFIG: file, HOME: directory, PATH: path };
  const run = (line: string, input?: Buffer): Promise<Finished> =>
    runProgram(['sh', '-c', line], { env: shellEnv, cwd: directory, ...(input ? { input } : {}) });
  const files = [file];
  return {
    directory,
    namespace,
    env: shellEnv,
    kubernetes,
    run,
    ok: async (line, input) => {
      const { status, stdout, stderr } = await run(line, input);
      if (status !== 0) throw new Error(`${line}: ended with ${status}: ${stderr}`);
      return stdout.toString();
    },
    kubeconfigOf: async (name, difference) => {
      const other = `${directory}.${name}`;
      files.push(other);
      const config = parse(await readFile(file, 'utf8')) as Kubeconfig;
      await writeFile(other, stringify(changed(config, difference)), { mode: 0o600 });
      return other;
    },
    close: async () => {
      await kubernetes.delete(resourceTypes.Namespace, namespace);
      kubernetes.close();
      for (const each of [directory, ...files]) await rm(each, { recursive: true, force: true });
    },
  };
}

/** As `kubectl config set-context --current --namespace` does. */
function inNamespace(config: Kubeconfig, namespace: string): Kubeconfig {
  currentOf(config).namespace = namespace;
  return config;
}

function changed(config: Kubeconfig, { token, server }: Difference): Kubeconfig {
  const { user, cluster } = currentOf(config);
  const authority = 'certificate-authority-data';
  return {
    ...config,
    ...(token ? { users: [{ name: user, user: { token } }] } : {}),
    ...(server
      ? {
          clusters: [
            { name: cluster, cluster: { server: server.url, [authority]: btoa(server.caPem) } },
          ],
        }
      : {}),
  };
}

function currentOf(config: Kubeconfig): Context {
  const found = config.contexts.find(({ name }) => name === config['current-context']);
  if (!found) throw new Error('Cannot use the kubeconfig: it has no current context');
  return found.context;
}
