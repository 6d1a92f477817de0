import { describeReference } from '../oci/index.ts';
import type { TransferResult } from './result.ts';

/** The names that pipelines ask for, each a line of text; empty where it is not known. */
export type ImageResultName = 'url' | 'digest' | 'ref' | 'pull-ref' | 'previous-digest';

/**
 * What a transfer hands on to the next step of a pipeline: `url` and `ref` as Pods reach the image,
 * `pull-ref` as nodes pull it.
 */
export function imageResultsOf(
  result: TransferResult,
  hosts: { readonly pushHost?: string | undefined; readonly pullHost?: string | undefined },
): Record<ImageResultName, string> {
  const { repository, digest, previousDigest = '', pushRefs } = result;
  const refAt = (registry: string | undefined): string =>
    registry === undefined ? '' : describeReference({ registry, repository, digest });
  return {
    url: pushRefs[0] ?? '',
    digest,
    ref: refAt(hosts.pushHost),
    'pull-ref': refAt(hosts.pullHost),
    'previous-digest': previousDigest,
  };
}
