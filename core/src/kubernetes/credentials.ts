import { readFile } from 'node:fs/promises';

import type { Log } from '../log.ts';
import type { Access } from './access.ts';
import { authProviderAuthorization } from './auth-provider.ts';
import { ExecPlugin } from './exec-plugin.ts';
import { KubeconfigError } from './kubeconfig-error.ts';
import type { User } from './kubeconfig-schema.ts';

/** What a request and its connection carry at this moment. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly tls: TlsMaterial;
}

/** PEM, as Node's TLS takes it. */
export interface TlsMaterial {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** The cluster rotates a Pod's token and its own CA under our feet; client-go looks as often. */
const rereadAfterMs = 10_000;

/** The login of one user at one cluster, always fresh. */
export class CredentialSource {
  readonly #access: Access;
  readonly #plugin: ExecPlugin | undefined;
  #last: { readonly credentials: Credentials; readonly atMs: number } | undefined;

  constructor(access: Access, env: Readonly<Record<string, string | undefined>>, log: Log) {
    this.#access = access;
    const { exec } = access.user;
    this.#plugin = exec ? new ExecPlugin(exec, { access, env, log }) : undefined;
  }

  /**
   * What to send now.
   *
   * @param signal Ends the waiting for a plugin.
   * @throws {KubeconfigError} if a file or a plugin that the kubeconfig names does not deliver.
   */
  async current(signal?: AbortSignal): Promise<Credentials> {
    if (this.#last && Date.now() - this.#last.atMs < rereadAfterMs) return this.#last.credentials;
    const credentials = await this.#read(signal);
    // A plugin's credentials expire when it says so: it remembers them itself.
    if (!this.#plugin) this.#last = { credentials, atMs: Date.now() };
    return credentials;
  }

  /** The server did not take them: whether there may be others now. */
  renew(): boolean {
    this.#last = undefined;
    this.#plugin?.forget();
    const { user } = this.#access;
    return Boolean(
      this.#plugin ?? user.tokenFile ?? user['auth-provider'] ?? user['client-certificate'],
    );
  }

  async #read(signal?: AbortSignal): Promise<Credentials> {
    const { cluster, user, server } = this.#access;
    const ca = await this.#pem(
      cluster['certificate-authority-data'],
      cluster['certificate-authority'],
    );
    // As kubectl: over plain HTTP nobody logs in.
    if (server.startsWith('http:')) return { headers: {}, tls: {} };
    const issued = await this.#plugin?.credential(ca, signal);
    const cert =
      issued?.cert ??
      (await this.#pem(user['client-certificate-data'], user['client-certificate']));
    const key = issued?.key ?? (await this.#pem(user['client-key-data'], user['client-key']));
    const authorization = issued?.token ? `Bearer ${issued.token}` : await this.#authorization();
    return {
      headers: {
        ...(authorization && { authorization }),
        ...impersonationOf(user),
      },
      tls: { ca, cert, key },
    };
  }

  async #authorization(): Promise<string | undefined> {
    const { user } = this.#access;
    if (user.tokenFile) return `Bearer ${(await this.#file(user.tokenFile)).toString().trim()}`;
    if (user.token) return `Bearer ${user.token}`;
    if (user.username) {
      return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
    }
    return user['auth-provider'] ? authProviderAuthorization(this.#access) : undefined;
  }

  /** As kubectl: what is in the kubeconfig itself goes before the file that it names. */
  async #pem(base64: string | undefined, path: string | undefined): Promise<Buffer | undefined> {
    if (base64) return Buffer.from(base64, 'base64');
    return path ? this.#file(path) : undefined;
  }

  async #file(path: string): Promise<Buffer> {
    try {
      return await readFile(path);
    } catch (error) {
      throw new KubeconfigError(
        `Cannot log in to the cluster at ${this.#access.server}: ${this.#access.source} names the file ${path}, which cannot be read`,
        { cause: error },
      );
    }
  }
}

/** @see https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/ */
function impersonationOf(user: User): Record<string, string | string[]> {
  const { as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra } = user;
  if (!as) return {};
  const headers: Record<string, string | string[]> = { 'impersonate-user': as };
  if (uid) headers['impersonate-uid'] = uid;
  if (groups?.length) headers['impersonate-group'] = groups;
  for (const [name, values] of Object.entries(extra ?? {})) {
    headers[`impersonate-extra-${encodeURIComponent(name)}`] = values;
  }
  return headers;
}
