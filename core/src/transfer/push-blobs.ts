import type { Source } from '../content/index.ts';
import { silent } from '../log.ts';
import type { Descriptor, Digest } from '../oci/index.ts';
import type { OnProgress, Outcome } from '../progress.ts';
import type { Upload } from '../registry/index.ts';
import { uploadBlob } from './blob-upload.ts';
import { mapConcurrently } from './concurrency.ts';
import type { Destination } from './destination.ts';
import { tellRetry } from './options.ts';
import type { TransferOptions } from './options.ts';
import { mountBlob } from './plan-mounts.ts';
import type { Asking } from './plan-questions.ts';
import { sentBytesOf } from './plan.ts';
import type { PlanItem } from './result.ts';

/** What sending blobs takes. */
export interface BlobSending {
  readonly source: Source;
  readonly destination: Destination;
  readonly asking: Asking;
  readonly options: TransferOptions & Required<Pick<TransferOptions, 'retries' | 'concurrency'>>;
}

/** What became of a plan's blobs. */
export interface SentBlobs {
  /** One that could not be mounted after all was sent. */
  readonly items: readonly PlanItem[];
  readonly transferredBytes: number;
}

/** Tells what a push is about to do, and what is there already. */
export function announce(
  blobs: readonly Descriptor[],
  items: readonly PlanItem[],
  onProgress: OnProgress | undefined,
): void {
  onProgress?.({ type: 'planned', items: blobs, totalBytes: sentBytesOf(items) });
  const present = new Set(items.filter((item) => !isDue(item)).map(({ digest }) => digest));
  for (const descriptor of blobs) {
    if (!present.has(descriptor.digest)) continue;
    onProgress?.({ type: 'finished', descriptor, outcome: 'present' });
  }
}

/** Mounts and sends what the plan says; the first that fails for good ends the others. */
export async function sendBlobs(
  blobs: readonly Descriptor[],
  items: readonly PlanItem[],
  sending: BlobSending,
): Promise<SentBlobs> {
  const { concurrency, signal } = sending.options;
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const byDigest = new Map(blobs.map((blob) => [blob.digest, blob]));
  const sender = new BlobsSender(sending, either);
  const work = mapConcurrently(items.filter(isDue), concurrency, async (item) => {
    try {
      await sender.bring(byDigest.get(item.digest) ?? item, item);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  await work.catch((error: unknown) => {
    // Whichever is heard of first: the cause is the one that failed, not one that it ended.
    throw failed.signal.reason ?? error;
  });
  const { sentInstead, transferredBytes } = sender;
  return {
    items: items.map((item) => (sentInstead.has(item.digest) ? asSent(item) : item)),
    transferredBytes,
  };
}

class BlobsSender {
  transferredBytes = 0;
  /** What the registry would not mount. */
  readonly sentInstead = new Set<Digest>();
  readonly #sending: BlobSending;
  readonly #signal: AbortSignal;

  constructor(sending: BlobSending, signal: AbortSignal) {
    this.#sending = sending;
    this.#signal = signal;
  }

  async bring(blob: Descriptor, item: PlanItem): Promise<void> {
    const begun = item.from === 'mount' ? await this.#mounted(blob, item) : undefined;
    if (begun === 'mounted') {
      this.#finished(blob, 'mounted');
      return;
    }
    await this.#send(blob, begun);
    this.#finished(blob, 'sent');
  }

  /** @returns What the registry began instead, if anything. */
  async #mounted(
    blob: Descriptor,
    { repository: from = '' }: PlanItem,
  ): Promise<'mounted' | Upload | undefined> {
    const { asking, destination } = this.#sending;
    const target = { repository: destination.repository, from };
    const result = await mountBlob(target, blob, { ...asking, signal: this.#signal });
    if (result?.mounted) return 'mounted';
    this.sentInstead.add(blob.digest);
    return result?.upload;
  }

  async #send(descriptor: Descriptor, begun: Upload | undefined): Promise<void> {
    const { source, destination, asking, options } = this.#sending;
    const { onProgress, retries, state, log = silent } = options;
    const sent = await uploadBlob(descriptor, {
      client: asking.client,
      source,
      repository: destination.repository,
      retries,
      state,
      begun,
      log,
      signal: this.#signal,
      onBytes: (bytes) => onProgress?.({ type: 'advanced', descriptor, bytes }),
      onRetry: (error, delayMs) => tellRetry(onProgress, descriptor.digest, error, delayMs),
    });
    // Not `+= await`: that reads the sum before it waits, and others add to it meanwhile.
    this.transferredBytes += sent;
  }

  #finished(descriptor: Descriptor, outcome: Outcome): void {
    this.#sending.options.onProgress?.({ type: 'finished', descriptor, outcome });
  }
}

/** Whether a blob has to be brought to the repository. */
export function isDue({ from }: PlanItem): boolean {
  return from === 'send' || from === 'mount';
}

function asSent({ digest, mediaType, size }: PlanItem): PlanItem {
  return { digest, mediaType, size, from: 'send' };
}
