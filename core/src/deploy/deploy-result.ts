import * as z from 'zod';

/** One object of a deployment, and what became of it. */
export const DeployedObject = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  namespace: z.string().optional().describe('Absent where the kind has none'),
  name: z.string(),
  change: z
    .enum(['created', 'configured', 'unchanged', 'pruned', 'kept'])
    .describe('kept: no longer among the manifests, and too precious to be deleted'),
  diff: z
    .string()
    .optional()
    .describe('Of a dry run: lines that change, with - and +; values of Secrets are hidden'),
});
export type DeployedObject = z.infer<typeof DeployedObject>;

/** One object that did not come to be as it should. */
export const RolloutFailure = z.object({
  object: z.string().describe('`Deployment shop/app`'),
  reason: z.string().describe('Its cause, and the next step where there is one'),
});
export type RolloutFailure = z.infer<typeof RolloutFailure>;

/** What became of the objects when a rollout failed. */
export const RollbackOutcome = z.discriminatedUnion('state', [
  z.object({ state: z.literal('none').describe('It was not asked for') }),
  z.object({ state: z.literal('done'), objects: z.array(z.string()) }),
  z.object({ state: z.literal('failed'), reason: z.string() }),
]);
export type RollbackOutcome = z.infer<typeof RollbackOutcome>;

/** What a deployment did: what `-o json` prints and what every other output is cut from. */
export const DeployResult = z.object({
  namespace: z.string().describe('Of objects that name none'),
  images: z
    .array(
      z.object({
        name: z.string().describe('As the manifests have it'),
        reference: z.string().describe('What it was replaced by, with its digest'),
        places: z.array(z.string()).describe('Where that was'),
      }),
    )
    .describe('Images that were put in'),
  objects: z.array(DeployedObject).describe('In the order in which they were applied'),
  waited: z.boolean().describe('Whether everything was waited for, and runs'),
  failures: z
    .array(RolloutFailure)
    .optional()
    .describe('What does not run; only there if something does not, and the exit status is 1'),
  rollback: RollbackOutcome.optional().describe('With failures'),
  dryRun: z.boolean(),
  durationMs: z.int(),
});
export type DeployResult = z.infer<typeof DeployResult>;
