import { readFile } from 'node:fs/promises';

import { describeDuration, InputError, parseDurationMs } from '@reposure/core';
import {
  deploy,
  parseImagePath,
  parseImagePin,
  readManifests,
  RolloutError,
} from '@reposure/core/deploy';
import type { DeployedObject, DeployOptions, DeployResult } from '@reposure/core/deploy';
import { groupOf } from '@reposure/core/kubernetes';
import type { Command } from 'commander';

import { withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { InterruptedError } from '../interruption.ts';
import { print, table } from '../output.ts';
import { writeResults } from '../results.ts';
import type { ResultFiles } from '../results.ts';

interface DeployFlags extends GlobalOptions {
  readonly filename: readonly string[];
  readonly image?: readonly string[];
  readonly imagePath?: readonly string[];
  readonly set?: string;
  readonly prune?: Switch;
  readonly createNamespace?: boolean;
  readonly forceConflicts?: boolean;
  readonly dryRun?: boolean | string;
  readonly wait?: boolean;
  readonly rollback?: Switch;
  readonly timeout: string;
  readonly failAfter: string;
  readonly result?: ResultFiles;
}

type Switch = 'true' | 'false';

/** `deploy -f PATH [NAME=REF…]` */
export async function deployAction(command: Command): Promise<void> {
  const flags = command.optsWithGlobals<DeployFlags>();
  // What can be wrong on this side is found before the cluster is asked.
  const options = await optionsOf(flags, command.args);
  const manifests = await readManifests(flags.filename, process.stdin);
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    const how = { ...options, namespace, log, signal };
    try {
      const result = await deploy(cluster, manifests, how);
      writeResults(flags.result, resultsOf(result));
      const names = result.objects.map(nameOf);
      await print(format, { value: result, names, text: describe(result) });
    } catch (error) {
      // What failed is said as an error; who asked for the result gets what there is of it, too.
      if (error instanceof RolloutError && (format === 'json' || format === 'yaml')) {
        await print(format, { value: error.result, names: [], text: '' });
      }
      throw explained(error);
    }
  });
}

/** What was applied goes on in the cluster, whether anybody waits for it or not. */
function explained(error: unknown): unknown {
  if (!(error instanceof InterruptedError)) return error;
  return new InterruptedError(
    error.signalName,
    'what was applied stays, run it again to go on waiting',
  );
}

const readText = (path: string): Promise<string> => readFile(path, 'utf8');

async function optionsOf(
  flags: DeployFlags,
  more: readonly string[],
): Promise<Omit<DeployOptions, 'namespace'>> {
  const images = [...(flags.image ?? []), ...more];
  return {
    images: await Promise.all(images.map((text) => parseImagePin(text, readText))),
    imagePaths: (flags.imagePath ?? []).map(parseImagePath),
    // An empty one is none: a pipeline's param that was not given.
    set: flags.set || undefined,
    prune: flags.prune === 'true',
    createNamespace: flags.createNamespace,
    forceConflicts: flags.forceConflicts,
    dryRun: isDryRun(flags.dryRun),
    wait: flags.wait,
    rollback: flags.rollback === 'true',
    timeoutMs: parseDurationMs(flags.timeout),
    stuckAfterMs: parseDurationMs(flags.failAfter),
  };
}

/** As kubectl has it, apart from `client`, which would show what the cluster never sees. */
function isDryRun(value: boolean | string | undefined): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  if (value === 'server' || value === 'none') return value === 'server';
  throw new InputError(`Cannot use --dry-run=${value}: want server`);
}

function resultsOf({ objects, images, dryRun }: DeployResult): Record<string, string> {
  const changed = objects.filter(({ change }) => change !== 'unchanged' && change !== 'kept');
  return {
    changes: dryRun ? '0' : String(changed.length),
    references: images.map(({ reference }) => reference).join('\n'),
  };
}

function describe(result: DeployResult): string {
  const { objects, images, dryRun, waited, durationMs } = result;
  const parts = [
    ...(dryRun ? diffsOf(objects) : []),
    table(
      ['OBJECT', dryRun ? 'WOULD BE' : 'IS'],
      objects.map((object) => [nameOf(object), object.change]),
    ),
    images.map(({ name, reference }) => `Image ${name}: ${reference}`).join('\n'),
    dryRun
      ? 'Dry run: nothing was changed'
      : `${waited ? 'Everything runs' : 'Applied, and not waited for'}, in ${describeDuration(durationMs)}`,
  ];
  return parts.filter(Boolean).join('\n\n');
}

function diffsOf(objects: readonly DeployedObject[]): string[] {
  return objects.flatMap((object) =>
    object.diff === undefined ? [] : [`${nameOf(object)} (${object.change})\n${object.diff}`],
  );
}

/** As kubectl names it, with its namespace: `deployment.apps/app -n shop` is `shop/deployment.apps/app`. */
function nameOf({ apiVersion, kind, namespace, name }: DeployedObject): string {
  const group = groupOf(apiVersion);
  const resource = `${kind.toLowerCase()}${group && `.${group}`}/${name}`;
  return namespace === undefined ? resource : `${namespace}/${resource}`;
}
