import * as z from 'zod';

import { DigestText } from '../oci/index.ts';
import type { Course } from './options.ts';

/** One image of an index. */
export const PlatformDigest = z.object({
  platform: z.string().describe('os/architecture[/variant]'),
  digest: DigestText,
});
export type PlatformDigest = z.infer<typeof PlatformDigest>;

/** One blob of a push, and where the repository has it from. */
export const PlanItem = z.object({
  digest: DigestText,
  mediaType: z.string(),
  size: z.int().describe('Bytes'),
  from: z
    .enum(['present', 'mount', 'same content', 'send'])
    .describe(
      'The repository itself; another one of the registry; a layer there with the same diffId; this side',
    ),
  repository: z.string().optional().describe('Where it is mounted from'),
});
export type PlanItem = z.infer<typeof PlanItem>;

/** What a push, a pull or a copy did: what `-o json` prints and what every other output is cut from. */
export const TransferResult = z.object({
  action: z.enum(['push', 'pull', 'copy']),
  repository: z.string(),
  tags: z
    .array(z.string())
    .describe('Tags that now name the digest; none if it goes by digest alone'),
  digest: DigestText.describe('Of the manifest or index, as the registry confirmed it'),
  previousDigest: DigestText.optional().describe(
    'What the first tag named before; absent if there was no such tag',
  ),
  mediaType: z.string(),
  platforms: z.array(PlatformDigest),
  pushRefs: z.array(z.string()).describe('host/repository:tag as Pods of the cluster reach it'),
  pullRefs: z
    .array(z.string())
    .describe('host/repository:tag as nodes pull it; empty if no host is known'),
  bytes: z.object({
    total: z.int().describe('Of the whole image'),
    read: z
      .int()
      .describe('Read from where the image comes from; not what was read to pack layers before'),
    transferred: z.int().describe('That travelled; what was sent twice counts twice'),
    reused: z.int().describe('That were there already, or were mounted'),
  }),
  blobs: z.object({
    transferred: z.int(),
    mounted: z.int().describe('Taken over from another repository of the registry'),
    reused: z.int().describe('That were there already'),
  }),
  plan: z.array(PlanItem).optional().describe('Each blob of a push, and where it comes from'),
  retries: z.int().describe('How often something was tried again'),
  bytesPerSecond: z.int().describe('Transferred bytes by the time of the whole'),
  route: z.object({ via: z.string(), reason: z.string() }),
  dryRun: z.boolean(),
  durationMs: z.int().describe('Of the whole, the packing of layers included'),
});
export type TransferResult = z.infer<typeof TransferResult>;

/** How long a transfer took so far, how fast it was, and how smoothly it went. */
export function paceOf(
  { startedMs, retryCount }: Course,
  transferredBytes: number,
): Pick<TransferResult, 'durationMs' | 'bytesPerSecond' | 'retries'> {
  const durationMs = Math.round(performance.now() - startedMs);
  const bytesPerSecond = Math.round((transferredBytes * 1000) / (durationMs || 1));
  return { durationMs, bytesPerSecond, retries: retryCount() };
}

/** The reference by digest, under the name that nodes pull where it is known. */
export function digestReferenceOf(result: TransferResult): string {
  const { repository, digest, pullRefs, pushRefs } = result;
  const [reference] = [...pullRefs, ...pushRefs];
  const host = reference?.slice(0, reference.indexOf('/') + 1) ?? '';
  return `${host}${repository}@${digest}`;
}
