import { InputError } from '../errors.ts';
import type { Registry } from './registry.ts';

/** What a repository is named for. */
export type RepositoryUse = 'read' | 'write';

interface RepositoryForm {
  readonly form: string;
  readonly minSegments: number;
  readonly maxSegments?: number;
}

/** How repositories are named where not every name will do. */
const forms: Readonly<Record<string, RepositoryForm>> = {
  openshift: { form: 'PROJECT/NAME', minSegments: 2, maxSegments: 2 },
  harbor: { form: 'PROJECT/NAME', minSegments: 2 },
  quay: { form: 'ORGANISATION/NAME', minSegments: 2 },
  ghcr: { form: 'OWNER/NAME', minSegments: 2 },
  // gcr.io, which it serves as well, has no repositories in between.
  gar: { form: 'PROJECT/REPOSITORY/NAME, or PROJECT/NAME on gcr.io', minSegments: 2 },
};

/**
 * Refuses a repository that a registry of this kind cannot have, before anything is sent.
 *
 * @throws {InputError} that says how it is to be named.
 */
export function requireRepository(
  registry: Pick<Registry, 'metadata' | 'spec' | 'status'>,
  repository: string,
  use: RepositoryUse,
): void {
  const provider = registry.status?.provider ?? registry.spec.provider ?? '';
  const wanted = forms[provider];
  if (wanted === undefined) return;
  const { form, minSegments, maxSegments = Infinity } = wanted;
  const { length } = repository.split('/');
  const { namespace } = registry.metadata;
  const example = provider === 'openshift' ? `, such as ${namespace}/NAME` : '';
  if (length < minSegments || length > maxSegments) {
    throw new InputError(
      `Cannot use the repository "${repository}": registries of the kind "${provider}" want ${form}${example}`,
    );
  }
  // Another project may show its images to this one; it does not take any from it.
  if (provider === 'openshift' && use === 'write' && !repository.startsWith(`${namespace}/`)) {
    throw new InputError(
      `Cannot write to the repository "${repository}": it belongs to another project; want ${namespace}/NAME, or a Registry in that project`,
    );
  }
}
