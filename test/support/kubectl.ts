import { execFileSync } from 'node:child_process';
import { delimiter } from 'node:path';

/** A kubectl to test with. */
export interface Kubectl {
  readonly file: string;
  /** `v1.36.1` */
  readonly version: string;
}

/** The kubectl of the PATH, and those that `REPOSURE_TEST_KUBECTL` lists as the PATH lists folders. */
export function kubectls(): readonly Kubectl[] {
  const listed = (process.env['REPOSURE_TEST_KUBECTL'] ?? '').split(delimiter).filter(Boolean);
  return ['kubectl', ...listed].flatMap((file) => {
    const version = versionOf(file);
    if (version === undefined && file !== 'kubectl') {
      throw new Error(`Cannot run ${file}, which REPOSURE_TEST_KUBECTL lists`);
    }
    return version === undefined ? [] : [{ file, version }];
  });
}

function versionOf(file: string): string | undefined {
  try {
    const text = execFileSync(file, ['version', '--client', '-o', 'json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return (JSON.parse(text) as { clientVersion: { gitVersion: string } }).clientVersion.gitVersion;
  } catch {
    return undefined;
  }
}
