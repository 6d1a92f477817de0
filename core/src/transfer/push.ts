import type { ByteStream } from '../bytes.ts';
import type { Source } from '../content/index.ts';
import type { Descriptor } from '../oci/index.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Route } from '../surrogate/index.ts';
import { countingReads } from './counting-reads.ts';
import { referencesOf } from './destination.ts';
import type { Destination } from './destination.ts';
import { platformsOf, readGraph, sizeOf } from './graph.ts';
import type { ImageGraph } from './graph.ts';
import type { LayerFinder } from './layer-finder.ts';
import { LayerRecord } from './layer-record.ts';
import { beginTransfer, tellRetry, transferDefaults } from './options.ts';
import type { TransferOptions } from './options.ts';
import { askingOf } from './plan-questions.ts';
import { countsOf, makePlan, reusedBytesOf, sentBytesOf } from './plan.ts';
import type { Plan } from './plan.ts';
import { announce, isDue, sendBlobs } from './push-blobs.ts';
import type { BlobSending, SentBlobs } from './push-blobs.ts';
import { bytesOf, documentsToSend, sendDocuments } from './push-documents.ts';
import type { DocumentsToSend } from './push-documents.ts';
import { rememberBlobs } from './push-memory.ts';
import { paceOf } from './result.ts';
import type { TransferResult } from './result.ts';
import { refuseTag } from './taken-tag.ts';

/** What a push takes besides. */
export interface PushOptions extends TransferOptions {
  /** Makes the plan, and neither sends nor mounts anything. */
  readonly dryRun?: boolean;
  /** Repositories of the same registry that may hold what is missing: it is mounted from there. */
  readonly mountFrom?: readonly string[];
  /** `false` keeps a tag that names another image, and fails; a promise only as long as nobody else writes. */
  readonly overwrite?: boolean | undefined;
  /** Who answered the source when it asked for layers that need not be packed. */
  readonly layers?: Pick<LayerFinder, 'found' | 'asked'> | undefined;
}

/**
 * Puts an image where its tags say: what is missing travels, manifests go last and tags at the very
 * end, so that an incomplete push is not visible. What is there is not sent again.
 *
 * @param source Stays open; the caller closes it.
 * @returns Only after the registry has confirmed the digest of every tag.
 * @throws {RegistryError} if the registry refuses, after the retries.
 * @throws {ContentMismatchError} if the source is not what its descriptors say.
 */
export async function push(
  route: Route,
  source: Source,
  destination: Destination,
  given: PushOptions = {},
): Promise<TransferResult> {
  const options = beginTransfer({ ...transferDefaults, dryRun: false, ...given });
  const { dryRun, layers, log, signal } = options;
  const { counted, readBytes } = countingReads(source);
  const read = (descriptor: Descriptor): ByteStream => counted.read(descriptor, { signal });
  const graph = await readGraph(source.root, read);
  const platforms = await platformsOf(graph, read);
  const asking = askingOf(route.request, options);
  const record = new LayerRecord(options.state, log);
  const planWith = (found: PushOptions['layers']): Promise<Plan> =>
    makePlan(graph, destination, { ...options, layers: found, record }, asking);
  const plan = await planWith(layers);
  if (options.overwrite === false) refuseTaken(graph.root.descriptor, destination, plan);
  const documents = documentsToSend(graph, destination, plan);
  announce(graph.blobs, plan.items, options.onProgress);
  let sent = { items: plan.items, transferredBytes: sentBytesOf(plan.items) };
  if (!dryRun) {
    const sending = { source: counted, destination, asking, options };
    // What was found before may be what is lost.
    const planAgain = (): Promise<Plan> => planWith(undefined);
    sent = await sendImage({ graph, plan, documents }, planAgain, sending);
    await rememberBlobs({ graph, read, destination, layers, record }, sent.items);
  }
  const transferred = sent.transferredBytes + bytesOf(documents);
  return {
    ...namesOf(graph.root.descriptor, destination, options),
    ...previousOf(plan, destination),
    platforms,
    bytes: {
      total: sizeOf(graph),
      read: readBytes(),
      transferred,
      reused: reusedBytesOf(sent.items),
    },
    blobs: countsOf(sent.items),
    plan: [...sent.items],
    ...paceOf(options.course, dryRun ? 0 : transferred),
    route: { via: route.via, reason: route.reason },
    dryRun,
  };
}

/** What a plan makes of an image. */
interface ToSend {
  readonly graph: ImageGraph;
  readonly plan: Plan;
  readonly documents: DocumentsToSend;
}

/**
 * Sends what a plan says: blobs first, then what refers to them. Once more what the registry has lost
 * meanwhile, as one without a volume does when its Pod is replaced.
 */
async function sendImage(
  { graph, plan, documents }: ToSend,
  planAgain: () => Promise<Plan>,
  sending: BlobSending,
): Promise<SentBlobs> {
  const { destination, asking, options } = sending;
  const send = (toSend: DocumentsToSend): Promise<void> =>
    sendDocuments(toSend, destination, options.concurrency, asking);
  const sent = await sendBlobs(graph.blobs, plan.items, sending);
  try {
    await send(documents);
    return sent;
  } catch (error) {
    if (!isBlobUnknown(error)) throw error;
    tellRetry(options.onProgress, destination.repository, error, 0);
  }
  const missing = await planAgain();
  const again = await sendBlobs(graph.blobs, missing.items, sending);
  await send(documentsToSend(graph, destination, missing));
  return together(sent, again);
}

/** What came of two plans for one image: a blob that either brought was not there. */
function together(first: SentBlobs, second: SentBlobs): SentBlobs {
  const items = first.items.map((item, at) => {
    const again = second.items[at];
    return again && isDue(again) && item.from !== 'send' ? again : item;
  });
  return { items, transferredBytes: first.transferredBytes + second.transferredBytes };
}

function isBlobUnknown(error: unknown): boolean {
  return (
    error instanceof RegistryError &&
    error.diagnostics.some(({ code }) => code === 'MANIFEST_BLOB_UNKNOWN')
  );
}

function refuseTaken(root: Descriptor, { repository, tags }: Destination, plan: Plan): void {
  for (const tag of tags) refuseTag(`${repository}:${tag}`, plan.tags.get(tag), root.digest);
}

type Names = 'action' | 'repository' | 'tags' | 'digest' | 'mediaType' | 'pushRefs' | 'pullRefs';

function namesOf(
  { digest, mediaType }: Descriptor,
  { repository, tags }: Destination,
  { pushHost, pullHost }: PushOptions,
): Pick<TransferResult, Names> {
  return {
    action: 'push',
    repository,
    tags: [...tags],
    digest,
    mediaType,
    pushRefs: referencesOf(pushHost, repository, tags, digest),
    pullRefs: referencesOf(pullHost, repository, tags, digest),
  };
}

function previousOf(
  plan: Plan,
  { tags: [tag = ''] }: Destination,
): Pick<TransferResult, 'previousDigest'> {
  const previousDigest = plan.tags.get(tag);
  return previousDigest === undefined ? {} : { previousDigest };
}
