import * as z from 'zod';

import { DigestText } from '../oci/index.ts';
import { TransferResult } from './result.ts';

/** What refers to the image, and was copied with it. */
export const CopiedReferrer = z.object({
  digest: DigestText,
  artifactType: z.string().optional().describe('As it is listed; a signature, an attestation'),
  tag: z.string().optional().describe("Cosign's, where it is found by that"),
  transferredBytes: z.int(),
});
export type CopiedReferrer = z.infer<typeof CopiedReferrer>;

/** What a copy did. Bytes and blobs are those of the image itself. */
export const CopyResult = z.object({
  ...TransferResult.shape,
  action: z.literal('copy'),
  source: z.string().describe('Where it was copied from, as it was named'),
  referrers: z.array(CopiedReferrer),
});
export type CopyResult = z.infer<typeof CopyResult>;
