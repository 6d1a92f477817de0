import type { Log } from '@reposure/core';

/** How the embedded registry behaves. */
export interface EmbeddedRegistryOptions {
  /** Holds everything; made when something is first written. One process at a time writes there. */
  readonly directory: string;
  /** PEM; without it, plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Lines `user:bcrypt`, read again whenever the file changes; without it, nobody logs in. */
  readonly htpasswdFile?: string | undefined;
  /** What a client is told that it logs in to. */
  readonly realm?: string | undefined;
  /** Whether blobs and manifests can be deleted; they can by default. */
  readonly deletes?: boolean | undefined;
  /** Refuses everything that would change something. */
  readonly readOnly?: boolean | undefined;
  /** Everything together may take so much; beyond, uploads are refused as on a full disk. */
  readonly maxBytes?: number | undefined;
  readonly log?: Log | undefined;
}
