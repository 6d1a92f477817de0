import * as z from 'zod';

import { DigestText } from '../oci/index.ts';

/** One image of an index. */
export const PlatformDigest = z.object({
  platform: z.string().describe('os/architecture[/variant]'),
  digest: DigestText,
});
export type PlatformDigest = z.infer<typeof PlatformDigest>;

/** What a push or a pull did: what `-o json` prints and what every other output is cut from. */
export const TransferResult = z.object({
  action: z.enum(['push', 'pull']),
  repository: z.string(),
  tags: z
    .array(z.string())
    .describe('Tags that now name the digest; none if it goes by digest alone'),
  digest: DigestText.describe('Of the manifest or index, as the registry confirmed it'),
  mediaType: z.string(),
  platforms: z.array(PlatformDigest),
  pushRefs: z.array(z.string()).describe('host/repository:tag as Pods of the cluster reach it'),
  pullRefs: z
    .array(z.string())
    .describe('host/repository:tag as nodes pull it; empty if no host is known'),
  bytes: z.object({
    total: z.int().describe('Of the whole image'),
    transferred: z.int().describe('That travelled; what was sent twice counts twice'),
    reused: z.int().describe('That were there already'),
  }),
  blobs: z.object({ transferred: z.int(), reused: z.int() }),
  route: z.object({ via: z.string(), reason: z.string() }),
  dryRun: z.boolean(),
  durationMs: z.int(),
});
export type TransferResult = z.infer<typeof TransferResult>;

/** The reference by digest, under the name that nodes pull where it is known. */
export function digestReferenceOf(result: TransferResult): string {
  const { repository, digest, pullRefs, pushRefs } = result;
  const [reference] = [...pullRefs, ...pushRefs];
  const host = reference?.slice(0, reference.indexOf('/') + 1) ?? '';
  return `${host}${repository}@${digest}`;
}
