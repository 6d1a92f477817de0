import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { explain, InputError, version } from '@reposure/core';
import { parsePacking } from '@reposure/core/build';
import { openSink, storeImage } from '@reposure/core/content';
import type { Source } from '@reposure/core/content';
import { parsePlatform } from '@reposure/core/oci';
import type { Compression } from '@reposure/core/oci';
import { loginFiles } from '@reposure/core/registry';
import { names } from '@reposure/core/resource';
import { isRemote, openImage } from '@reposure/core/transfer';

import { buildOwnImage } from './own-image.ts';
import type { Base } from './own-image.ts';

// Builds the image without a daemon: `npm run image -- --rootfs DIR`.
const usage = `Usage: npm run image -- (--rootfs DIR… | --base IMAGE [--platform PLATFORM]…) [--to TARGET]
                        [--name NAME] [--compression gzip|zstd|none] [--annotation KEY=VALUE]…

  --rootfs      a root file system with Node, such as an unpacked node:24-slim: of it, only what Node
                needs is taken; several, of different platforms, make an index
  --base        an image with Node at /usr/local/bin/node, whole: docker://HOST/NAME[:TAG][@DIGEST],
                oci:DIR, oci-archive:FILE, docker-archive:FILE
  --insecure    plain HTTP to the docker:// of --base, login included
  --platform    which images of the base; this machine's by default
  --to          oci:DIR, oci-archive:FILE, docker-archive:FILE, or - for an OCI archive on standard
                output; oci-archive:build/reposure.tar by default
  --name        what the image is called there; ${names.image(version)} by default
  --compression gzip by default
  --annotation  one more, which becomes a label, too

The same inputs make the same digest. The image is as old as $SOURCE_DATE_EPOCH says; without it, 1970.

Examples:
  npm run image -- --rootfs rootfs --to docker-archive:reposure.tar
  npm run image -- --base docker://docker.io/library/node:24-slim --platform linux/amd64 --platform linux/arm64
  npm run -s image -- --rootfs rootfs --to - | npx reposure image push default tools/reposure -
`;

const known = {
  rootfs: { type: 'string', multiple: true },
  base: { type: 'string' },
  insecure: { type: 'boolean', default: false },
  platform: { type: 'string', multiple: true },
  to: { type: 'string', default: 'oci-archive:build/reposure.tar' },
  name: { type: 'string', default: names.image(version) },
  compression: { type: 'string' },
  annotation: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const compressions: readonly Compression[] = ['gzip', 'zstd', 'none'];

type Flags = ReturnType<typeof parse>;

try {
  const flags = parse();
  if (flags.help) process.stdout.write(usage);
  else await main(flags);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = error instanceof InputError ? 2 : 1;
}

function parse() {
  try {
    return parseArgs({ options: known }).values;
  } catch (error) {
    throw new InputError(`${explain(error)}\n\n${usage}`, { cause: error });
  }
}

async function main(flags: Flags): Promise<void> {
  const base = await openBase(flags);
  try {
    const image = await buildOwnImage({
      bundle: fileURLToPath(new URL('../build/image', import.meta.url)),
      base,
      createdMs: createdMs(process.env['SOURCE_DATE_EPOCH']),
      packing: parsePacking(compressionOf(flags)),
      annotations: annotationsOf(flags),
    });
    try {
      await storeImage(image, await openSink(flags.to, { stdout: process.stdout }), flags);
      tell(image, flags);
    } finally {
      await image.close();
    }
  } finally {
    if ('source' in base) await base.source.close();
  }
}

/** Standard output has the reference by digest, for scripts, unless it is the image itself. */
function tell({ root }: Source, { name, to }: Flags): void {
  process.stderr.write(`Built ${name} in ${to}\n`);
  if (to !== '-') process.stdout.write(`${name.replace(/:[^:/]*$/, '')}@${root.digest}\n`);
}

async function openBase({ rootfs = [], base, platform = [], insecure }: Flags): Promise<Base> {
  if (base === undefined && rootfs.length > 0 && platform.length === 0) return { rootfs };
  if (base === undefined || rootfs.length > 0) {
    throw new InputError(
      `Cannot build the image: want either --rootfs, whose Node says its platform, or --base\n\n${usage}`,
    );
  }
  const platforms = platform.map((text) => parsePlatform(text));
  const { env } = process;
  const credentials = loginFiles({
    REGISTRY_AUTH_FILE: env['REGISTRY_AUTH_FILE'],
    DOCKER_CONFIG: env['DOCKER_CONFIG'],
    XDG_RUNTIME_DIR: env['XDG_RUNTIME_DIR'],
    HOME: env['HOME'],
  });
  const source = await openImage(base, { access: { credentials, insecure } });
  return { source, name: isRemote(base) ? base.replace('docker://', '') : base, platforms };
}

/** @see https://reproducible-builds.org/specs/source-date-epoch/ */
function createdMs(seconds = '0'): number {
  if (/^\d{1,11}$/.test(seconds)) return Number(seconds) * 1000;
  throw new InputError(`Cannot use SOURCE_DATE_EPOCH "${seconds}": want whole seconds since 1970`);
}

function compressionOf({ compression }: Flags): Compression | undefined {
  const found = compressions.find((each) => each === compression);
  if (found ?? compression === undefined) return found;
  throw new InputError(`Cannot compress with "${compression}": want ${compressions.join(', ')}`);
}

function annotationsOf({ annotation = [] }: Flags): Record<string, string> {
  const entries = annotation.map((text) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (key !== undefined && value !== undefined) return [key, value] as const;
    throw new InputError(`Cannot use annotation "${text}": want KEY=VALUE`);
  });
  return Object.fromEntries(entries);
}
