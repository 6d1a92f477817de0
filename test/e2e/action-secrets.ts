import { expect } from 'vitest';
import { parse } from 'yaml';

import type { StepRun } from '../support/action.ts';

/** The token in a kubeconfig of the embedded cluster. */
export function tokenOf(kubeconfig: string): string {
  const { users } = parse(kubeconfig) as { users: { user: { token: string } }[] };
  const [user] = users;
  if (!user) throw new Error('the kubeconfig has no user');
  return user.user.token;
}

/** Looks for secrets in everything that a step has said; where it masks one, the runner shows nothing. */
export function expectNoSecrets(run: StepRun, secrets: readonly string[]): void {
  const { log, outputs, summary, variables } = run;
  const shown = [
    log.replaceAll(/^::add-mask::.*$/gm, ''),
    summary,
    ...Object.values({ ...outputs, ...variables }),
  ].join('\n');
  for (const secret of secrets) expect(shown).not.toContain(secret);
}
