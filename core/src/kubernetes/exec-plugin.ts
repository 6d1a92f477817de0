import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import * as z from 'zod';

import { collect } from '../bytes.ts';
import { parseInput } from '../input.ts';
import type { Log } from '../log.ts';
import type { Access } from './access.ts';
import { KubeconfigError } from './kubeconfig-error.ts';
import type { ExecConfig } from './kubeconfig-schema.ts';
import { SharedRun } from './shared-run.ts';

/** What a plugin printed. */
const ExecCredential = z.object({
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

/** What a plugin handed out. */
export interface IssuedCredential {
  readonly token: string | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  /** Milliseconds since the epoch; infinite if the plugin does not say. */
  readonly expiresAtMs: number;
}

/** What a plugin runs with. */
export interface PluginSurroundings {
  readonly access: Access;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

const maxAnswerBytes = 1 << 20;
const keptLines = 20;

/**
 * A program that hands out credentials, as cloud providers have them.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export class ExecPlugin {
  readonly #config: ExecConfig;
  readonly #around: PluginSurroundings;
  #last: SharedRun<IssuedCredential> | undefined;

  constructor(config: ExecConfig, around: PluginSurroundings) {
    this.#config = config;
    this.#around = around;
  }

  /**
   * The credential, from the last run if that has not expired.
   *
   * @param ca The cluster's, for plugins that want to know it.
   * @param signal Ends the waiting, and the plugin with it when nobody else waits for it.
   * @throws {KubeconfigError} if the plugin is missing, fails, or prints something else.
   */
  async credential(ca: Buffer | undefined, signal?: AbortSignal): Promise<IssuedCredential> {
    const last = this.#runOf(ca, signal);
    const issued = await last.result(signal);
    if (issued.expiresAtMs > Date.now()) return issued;
    // Somebody else who saw it expire may have started the next run already.
    if (this.#last === last) this.forget();
    return this.#runOf(ca, signal).result(signal);
  }

  /** The server refused what the plugin handed out: the next call runs it again. */
  forget(): void {
    this.#last = undefined;
  }

  /** One run for all requests that wait for it: a plugin may open a browser. */
  #runOf(ca: Buffer | undefined, signal?: AbortSignal): SharedRun<IssuedCredential> {
    signal?.throwIfAborted();
    if (!this.#last || this.#last.isLost) {
      this.#last = new SharedRun((abandoned) => this.#run(ca, abandoned));
    }
    return this.#last;
  }

  async #run(ca: Buffer | undefined, abandoned: AbortSignal): Promise<IssuedCredential> {
    const { config, interactive } = this.#plan();
    const { env } = this.#around;
    const added = Object.fromEntries((config.env ?? []).map(({ name, value }) => [name, value]));
    const child = spawn(config.command, config.args ?? [], {
      env: { ...env, ...added, KUBERNETES_EXEC_INFO: JSON.stringify(this.#info(interactive, ca)) },
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'pipe'],
      windowsHide: true,
      signal: abandoned,
    });
    const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal));
    });
    const said: string[] = [];
    // Shown at once: "To sign in, open https://…" is of no use after the fact.
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#around.log.info(line);
      said.push(line);
      if (said.length > keptLines) said.shift();
    });
    const [printed, how] = await Promise.all([
      collect(child.stdout, `the answer of ${config.command}`, maxAnswerBytes),
      ended,
    ]).catch((error: unknown) => {
      child.kill();
      // What it has started may go on and hold these open, and with them our process.
      child.stdout.destroy();
      child.stderr.destroy();
      throw this.#failure(reasonOf(error), error);
    });
    if (how !== 0)
      throw this.#failure(`ended with ${how}: ${said.join(' ').trim() || 'it said nothing'}`);
    return this.#issuedFrom(printed.toString());
  }

  #plan(): { config: ExecConfig; interactive: boolean } {
    const mode = this.#config.interactiveMode ?? 'IfAvailable';
    const interactive = mode !== 'Never' && process.stdin.isTTY;
    if (mode === 'Always' && !interactive) {
      throw this.#failure('wants to ask a person, and standard input is no terminal');
    }
    return { config: this.#config, interactive };
  }

  #info(interactive: boolean, ca: Buffer | undefined): object {
    const { cluster, server } = this.#around.access;
    const config = cluster.extensions?.find(
      ({ name }) => name === 'client.authentication.k8s.io/exec',
    )?.['extension'];
    const described = {
      server,
      'tls-server-name': cluster['tls-server-name'],
      'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'] || undefined,
      'certificate-authority-data': ca?.toString('base64'),
      'proxy-url': cluster['proxy-url'],
      config,
    };
    return {
      apiVersion: this.#config.apiVersion,
      kind: 'ExecCredential',
      spec: { interactive, ...(this.#config.provideClusterInfo && { cluster: described }) },
    };
  }

  #issuedFrom(printed: string): IssuedCredential {
    let answer: unknown;
    try {
      answer = JSON.parse(printed);
    } catch {
      // Without the cause: a JSON error quotes its text, and that may be the token.
      throw this.#failure('printed something that is no JSON');
    }
    try {
      const { status } = parseInput(ExecCredential, answer, 'its answer');
      const { token, clientCertificateData: cert, clientKeyData: key } = status;
      if (!token && !(cert && key))
        throw this.#failure('printed neither a token nor a certificate with its key');
      const expiresAtMs = Date.parse(status.expirationTimestamp ?? '');
      return {
        token,
        cert: cert ? Buffer.from(cert) : undefined,
        key: key ? Buffer.from(key) : undefined,
        expiresAtMs: Number.isNaN(expiresAtMs) ? Infinity : expiresAtMs,
      };
    } catch (error) {
      if (error instanceof KubeconfigError) throw error;
      throw this.#failure('printed no ExecCredential with a status', error);
    }
  }

  #failure(state: string, cause?: unknown): KubeconfigError {
    const { server, userName, source } = this.#around.access;
    const hint = this.#config.installHint?.trim();
    return new KubeconfigError(
      `Cannot log in to the cluster at ${server}: the exec plugin "${this.#config.command}" of user "${userName}" in ${source} ${state}` +
        (hint
          ? `; ${hint}`
          : `; want a plugin that works: try to run it by hand, or kubectl get namespaces`),
      { cause },
    );
  }
}

function reasonOf(error: unknown): string {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  return isMissing ? 'is not installed' : 'did not run';
}
