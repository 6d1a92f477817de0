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
  dryRun: z.boolean(),
  durationMs: z.int(),
});
export type DeployResult = z.infer<typeof DeployResult>;
