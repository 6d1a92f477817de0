import { stat } from 'node:fs/promises';

/** The kinds of image layout that have a prefix of their own, as skopeo and podman write them. */
export const layoutKinds = ['oci', 'oci-archive', 'docker-archive'] as const;
export type LayoutKind = (typeof layoutKinds)[number];

/** Where content lies or goes, taken apart. */
export interface Location {
  /** `bare` is a path without a prefix. */
  readonly kind: LayoutKind | 'file' | 'bare';
  /** `-` is a standard stream. */
  readonly path: string;
  /** Which image of several, behind another colon. */
  readonly name?: string;
}

/** Takes `[kind:]path[:name]` apart; the first colon behind the kind divides, as in skopeo. */
export function parseLocation(text: string): Location {
  const match = /^(oci|oci-archive|docker-archive|file):(.*)$/s.exec(text);
  const [, kind, rest = ''] = match ?? [];
  if (kind === undefined) return { kind: 'bare', path: text };
  // A plain file has no names in it.
  if (kind === 'file') return { kind, path: rest };
  const layout = layoutKinds.find((known) => known === kind) ?? 'oci';
  const colon = rest.indexOf(':');
  if (colon < 0) return { kind: layout, path: rest };
  return { kind: layout, path: rest.slice(0, colon), name: rest.slice(colon + 1) };
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
