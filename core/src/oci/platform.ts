import * as z from 'zod';

/**
 * What an image runs on.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
 */
export const Platform = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
  'os.version': z.string().optional(),
  'os.features': z.array(z.string()).optional(),
});
export type Platform = z.infer<typeof Platform>;

/**
 * Parses `os/architecture[/variant]`, such as `linux/arm64/v8`.
 *
 * @throws {SyntaxError} if a part is missing or empty.
 */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.split('/');
  if (!os || !architecture || variant === '' || rest.length > 0) {
    throw new SyntaxError(`Cannot parse platform "${text}": want os/architecture[/variant]`);
  }
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

/** `os/architecture[/variant]`, as `--platform` takes it. */
export function describePlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join('/');
}

/** Whether an image for `offered` runs where `wanted` is asked for; a variant counts only when asked for. */
export function isPlatformMatch(offered: Platform, wanted: Platform): boolean {
  return (
    offered.os === wanted.os &&
    offered.architecture === wanted.architecture &&
    (wanted.variant === undefined || variantOf(offered) === variantOf(wanted))
  );
}

// linux/arm64 is linux/arm64/v8: builders leave the variant out as often as they write it.
function variantOf({ architecture, variant }: Platform): string | undefined {
  return variant ?? (architecture === 'arm64' ? 'v8' : undefined);
}

/** The platform of this process, as images name it. */
export function hostPlatform(): Platform {
  const architectures: Record<string, string> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
  // Images that run on a Mac or on Windows under a virtual machine are Linux images.
  return { os: 'linux', architecture: architectures[process.arch] ?? process.arch };
}
