import { stat } from 'node:fs/promises';

import { storeKinds } from './container-tools.ts';
import type { StoreKind } from './container-tools.ts';

/** The kinds of image layout that have a prefix of their own, as skopeo and podman write them. */
const layoutKinds = ['oci', 'oci-archive', 'docker-archive'] as const;
type LayoutKind = (typeof layoutKinds)[number];

/** Where content lies or goes, taken apart. */
export interface Location {
  /** `bare` is a path without a prefix. */
  readonly kind: LayoutKind | StoreKind | 'file' | 'bare';
  /** `-` is a standard stream; in a store, the name of the image with its tag. */
  readonly path: string;
  /** Which image of several, behind another colon. */
  readonly name?: string;
}

/** What an image can be written as. */
export type SinkKind = LayoutKind | StoreKind;

/** How a place for an image is written, kind by kind. */
export const sinkForms: readonly string[] = [
  ...layoutKinds.map((kind) => `${kind}:${kind === 'oci' ? 'DIR' : 'FILE'}`),
  ...storeKinds.map((kind) => `${kind}:NAME`),
];

/** Whether an image can be written as that. */
export function isSinkKind(kind: Location['kind']): kind is SinkKind {
  return kind !== 'bare' && kind !== 'file';
}

/** Whether a program of this machine keeps what is there, under a name and not a path. */
export function isStoreKind(kind: Location['kind']): kind is StoreKind {
  return storeKinds.some((known) => known === kind);
}

/** Whether only one image has room there: of an index, that of one platform. */
export function holdsOneImage(kind: Location['kind']): boolean {
  return kind === 'docker-archive' || isStoreKind(kind);
}

/** Takes `[kind:]path[:name]` apart; the first colon behind the kind divides, as in skopeo. */
export function parseLocation(text: string): Location {
  const colon = text.indexOf(':');
  const prefix = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  const layout = layoutKinds.find((known) => known === prefix);
  if (layout) return { kind: layout, ...divided(rest) };
  // A plain file has no names in it, and in a store there are only names.
  const whole = ([...storeKinds, 'file'] as const).find((known) => known === prefix);
  return whole ? { kind: whole, path: rest } : { kind: 'bare', path: text };
}

function divided(text: string): Pick<Location, 'path' | 'name'> {
  const colon = text.indexOf(':');
  return colon < 0 ? { path: text } : { path: text.slice(0, colon), name: text.slice(colon + 1) };
}

/** Like {@link parseLocation}, but a path with colons in it is found if it exists. */
export async function findLocation(text: string): Promise<Location> {
  const { kind, path, name } = parseLocation(text);
  if (name === undefined) return { kind, path };
  const whole = `${path}:${name}`;
  for (let end = whole.length; end > path.length; end = whole.lastIndexOf(':', end - 1)) {
    const candidate = whole.slice(0, end);
    if (await stat(candidate).catch(() => undefined)) {
      const rest = whole.slice(end + 1);
      return { kind, path: candidate, ...(rest ? { name: rest } : {}) };
    }
  }
  return { kind, path, name };
}
