import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a launcher starts: the command line's bundle on the runner's own Node. */
export interface Program {
  /** The Node that runs this step: the machine's own may be older, or missing. */
  readonly node: string;
  readonly script: string;
}

/**
 * Writes `reposure` for every shell: sh and PowerShell on Unix, cmd, PowerShell and Git's sh on Windows.
 *
 * @returns The folder, for the PATH.
 */
export async function writeLaunchers(folder: string, program: Program): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'reposure'), shLauncher(program));
  await chmod(join(bin, 'reposure'), 0o755);
  // PATHEXT finds it; on Unix nothing does.
  await writeFile(join(bin, 'reposure.cmd'), cmdLauncher(program));
  return bin;
}

/** @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02 */
export function shLauncher({ node, script }: Program): string {
  return `#!/bin/sh\nexec ${quoted(node)} ${quoted(script)} "$@"\n`;
}

/** A percent sign in a path would begin a variable. */
export function cmdLauncher({ node, script }: Program): string {
  const escaped = [node, script].map((path) => `"${path.replaceAll('%', '%%')}"`);
  return `@${escaped.join(' ')} %*\r\n`;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
