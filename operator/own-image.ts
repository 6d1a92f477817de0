import { version } from '@reposure/core';
import { buildImage, nodePath, nodeRuntime, nonRoot, treeOfFolder } from '@reposure/core/build';
import type { BuildOptions, BuildTarget, ImageSettings } from '@reposure/core/build';
import type { Source } from '@reposure/core/content';
import { hostPlatform } from '@reposure/core/oci';
import type { Platform } from '@reposure/core/oci';

/** What our image is built on: root file systems with Node, or another image that has it. */
export type Base =
  | { readonly rootfs: readonly string[] }
  | { readonly source: Source; readonly name: string; readonly platforms: readonly Platform[] };

/** What building our image takes. */
export interface OwnImageOptions extends Pick<
  BuildOptions,
  'packing' | 'signal' | 'temporaryDirectory'
> {
  /** The bundle, as `operator/bundle.ts` writes it. */
  readonly bundle: string;
  readonly base: Base;
  /** When it was made, in ms since 1970; a fixed time, so that equal inputs make an equal digest. */
  readonly createdMs: number;
  /** Further annotations, which become labels, too. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

const home = 'opt/reposure';
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Builds the one image of operator, surrogate and command line, without a daemon.
 *
 * @throws {InputError} if there is no Node where it should be.
 */
export async function buildOwnImage(options: OwnImageOptions): Promise<Source> {
  const { bundle, base, createdMs, packing, signal, temporaryDirectory } = options;
  const created = new Date(createdMs).toISOString().replace('.000Z', 'Z');
  const annotations = { ...annotationsOf(base, created), ...options.annotations };
  const program = { tree: await treeOfFolder(bundle, home), createdBy: `Reposure ${version}` };
  return buildImage(await targetsOf(base, program), {
    settings: settingsWith(annotations),
    annotations,
    created,
    ...(packing ? { packing } : {}),
    signal,
    temporaryDirectory,
  });
}

/** As in operator/Containerfile. */
function settingsWith(labels: Readonly<Record<string, string>>): ImageSettings {
  return {
    user: `${nonRoot.uid}:${nonRoot.gid}`,
    entrypoint: [`/${home}/bin/reposure`],
    env: { PATH: `/${home}/bin:${systemPath}` },
    labels,
  };
}

async function targetsOf(
  base: Base,
  program: BuildTarget['layers'][number],
): Promise<BuildTarget[]> {
  if ('source' in base) {
    const platforms = base.platforms.length > 0 ? base.platforms : [hostPlatform()];
    return platforms.map((platform) => ({ platform, base: base.source, layers: [program] }));
  }
  const runtimes = await Promise.all(base.rootfs.map((root) => nodeRuntime(root)));
  return runtimes.map(({ tree, platform }) => ({
    platform,
    // Two layers: the next version of ours leaves Node where it is.
    layers: [{ tree, createdBy: `Node: /${nodePath} and what it needs` }, program],
  }));
}

/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md */
function annotationsOf(base: Base, created: string): Record<string, string> {
  const prefix = 'org.opencontainers.image';
  return {
    [`${prefix}.title`]: 'reposure',
    [`${prefix}.description`]:
      'Images in and out of registries inside Kubernetes clusters: operator, surrogate and command line',
    [`${prefix}.version`]: version,
    [`${prefix}.created`]: created,
    [`${prefix}.licenses`]: 'Apache-2.0',
    [`${prefix}.source`]: 'https://github.com/reposure/reposure',
    [`${prefix}.url`]: 'https://github.com/reposure/reposure',
    [`${prefix}.documentation`]: 'https://github.com/reposure/reposure/blob/main/README.md',
    ...('source' in base
      ? { [`${prefix}.base.name`]: base.name, [`${prefix}.base.digest`]: base.source.root.digest }
      : {}),
  };
}
