import type { Transport } from '../registry/transport.ts';

/** A way in to a registry; see ARCHITECTURE.md. */
export type RouteKind = 'direct' | 'proxy' | 'exec';

/** An open way to one registry. Above it nothing knows which one it is. */
export interface Route {
  readonly via: RouteKind;
  /** Why this way and no other: one clause, for a person. */
  readonly reason: string;
  /** Carries requests; authenticated, verified, and with the rules of every route kept. */
  readonly request: Transport;
  close(): Promise<void>;
}
