import { explain, ReposureError } from '../errors.ts';
import type { FieldConflict } from '../kubernetes/index.ts';
import type { DeployResult, RollbackOutcome, RolloutFailure } from './deploy-result.ts';

/** An object of which somebody else manages what the manifest says otherwise. */
export interface ObjectConflict {
  /** `Deployment shop/app` */
  readonly object: string;
  readonly fields: readonly FieldConflict[];
}

/** Other managers own fields that would change. */
export class ConflictError extends ReposureError {
  override readonly name = 'ConflictError';
  readonly code = 'CONFLICT';
  readonly conflicts: readonly ObjectConflict[];

  constructor(conflicts: readonly ObjectConflict[]) {
    const said = conflicts.map(({ object, fields }) => `${object}: ${describeOwners(fields)}`);
    super(
      `Cannot apply ${said.join('; ')}; want these fields out of the manifests, or --force-conflicts to take them over`,
    );
    this.conflicts = conflicts;
  }
}

function describeOwners(fields: readonly FieldConflict[]): string {
  const byManager = Map.groupBy(fields, ({ manager }) => manager);
  return [...byManager]
    .map(([manager, owned]) => `"${manager}" manages ${owned.map(({ field }) => field).join(', ')}`)
    .join('; ');
}

/** What was applied does not run. */
export class RolloutError extends ReposureError {
  override readonly name = 'RolloutError';
  readonly code = 'ROLLOUT_FAILED';
  readonly failures: readonly RolloutFailure[];
  readonly rollback: RollbackOutcome;
  /** What was done until then. */
  readonly result: DeployResult;

  constructor(
    failures: readonly RolloutFailure[],
    rollback: RollbackOutcome,
    result: DeployResult,
  ) {
    const said = failures.map(({ object, reason }) => `Cannot roll out ${object}: ${reason}`);
    super([...said, describeRollback(rollback)].join('. '));
    this.failures = failures;
    this.rollback = rollback;
    this.result = { ...result, failures: [...failures], rollback };
  }
}

/** What became of the objects, in a sentence for a person. */
export function describeRollback(rollback: RollbackOutcome): string {
  switch (rollback.state) {
    case 'none':
      return 'What was applied stays; --rollback takes it back by itself';
    case 'done':
      return rollback.objects.length === 0
        ? 'There was nothing to roll back'
        : `Rolled back: ${rollback.objects.join(', ')}`;
    case 'failed':
      return `And the rollback failed: ${rollback.reason}`;
  }
}

/** The API refuses several of the manifests; nothing was applied. */
export class RefusedError extends ReposureError {
  override readonly name = 'RefusedError';
  readonly code = 'CLUSTER_RESPONSE';
  readonly refusals: readonly unknown[];

  constructor(refusals: readonly unknown[]) {
    super(`Nothing was applied: ${refusals.map(explain).join('; ')}`);
    this.refusals = refusals;
  }
}
