import { posix } from 'node:path';

import { ContentInvalidError } from '../oci/index.ts';

/** A path below the folder that is unpacked to, in its parts: none is empty, `.` or `..`. */
export type Segments = readonly string[];

/**
 * Takes the path of a tar entry apart. A leading slash means the folder itself, as in a container.
 *
 * @throws {ContentInvalidError} if it leads upwards.
 */
export function segmentsOf(path: string): Segments {
  const segments = path.split('/').filter((part) => part !== '' && part !== '.');
  if (segments.includes('..') || path.includes('\0')) {
    throw new ContentInvalidError(
      `Cannot unpack ${JSON.stringify(path)}: it leads out of the folder; want a path inside it`,
    );
  }
  return segments;
}

/**
 * The target of a symbolic link as it may be written: absolute ones become relative, so that
 * `/bin/busybox` is the image's own and not this machine's; those that climb over the top stop
 * there, as in a container.
 *
 * @param folder Where the link lies.
 */
export function containedTarget(folder: Segments, target: string): string {
  const from = `/${folder.join('/')}`;
  if (!posix.isAbsolute(target) && !climbsOut(folder, target)) return target;
  return posix.relative(from, posix.resolve(from, target)) || '.';
}

function climbsOut(folder: Segments, target: string): boolean {
  let depth = folder.length;
  for (const part of target.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
