import type { Summary } from '@reposure/action-shared';
import { describeDuration } from '@reposure/core';
import { describeRollback } from '@reposure/core/deploy';
import type { DeployedObject, DeployResult, RolloutError } from '@reposure/core/deploy';

/** What the job's page shows: what became of each object, and which images run now. */
export function summaryOf(result: DeployResult): Summary {
  const { dryRun, images, objects } = result;
  const objectRows = objects.map((object) => [describe(object), object.change]);
  const imageRows = images.map(({ name, reference, places }) => [
    name,
    reference,
    places.join(', '),
  ]);
  return {
    heading: headingOf(result),
    tables: [
      { columns: ['Object', dryRun ? 'Would be' : 'Is'], rows: objectRows },
      ...(images.length > 0 ? [{ columns: ['Image', 'Reference', 'Where'], rows: imageRows }] : []),
    ],
    details: objects.flatMap((object) =>
      object.diff === undefined ? [] : [[describe(object), object.diff] as const],
    ),
  };
}

function headingOf({ dryRun, durationMs, waited }: DeployResult): string {
  if (dryRun) return 'What would be deployed';
  return `${waited ? 'Deployed, and everything runs' : 'Deployed, and not waited for'}, in ${describeDuration(durationMs)}`;
}

/** Every object that does not run, and what became of the rest. */
export function causesOf({ failures, rollback }: RolloutError): [what: string, cause: string][] {
  return [
    ...failures.map(({ object, reason }): [string, string] => [object, reason]),
    ['Rollback', describeRollback(rollback)],
  ];
}

/** Of a dry run, for the log. */
export function diffLines({ objects }: DeployResult): string[] {
  return objects.flatMap((object) =>
    object.diff === undefined
      ? []
      : [`${describe(object)} would be ${object.change}`, ...object.diff.split('\n')],
  );
}

function describe({ kind, namespace, name }: DeployedObject): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}
