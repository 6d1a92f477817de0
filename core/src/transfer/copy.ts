import type { Source } from '../content/index.ts';
import { ContentMismatchError } from '../oci/index.ts';
import type { Digest, Document, Platform, Target } from '../oci/index.ts';
import type { Route } from '../surrogate/index.ts';
import { mapConcurrently } from './concurrency.ts';
import type { CopiedReferrer, CopyResult } from './copy-result.ts';
import { referencesOf } from './destination.ts';
import type { Destination } from './destination.ts';
import { readGraph } from './graph.ts';
import { beginTransfer, questionsAtOnce, transferDefaults } from './options.ts';
import type { TransferOptions } from './options.ts';
import { push } from './push.ts';
import { listReferrers } from './referrers-tag.ts';
import { findReferrers } from './referrers.ts';
import type { Referrer } from './referrers.ts';
import { openRemote, sourceOf } from './registry-source.ts';
import type { RemoteRepository } from './remote-repository.ts';
import { paceOf } from './result.ts';
import type { TransferResult } from './result.ts';
import { TagWriter } from './tag-writer.ts';
import { refuseTag } from './taken-tag.ts';

/** What is copied, and the way to its registry. */
export interface CopySource {
  readonly route: Route;
  /** By its tag, `latest` if it has neither tag nor digest. */
  readonly target: Target;
  /** Stands before the image's name in messages: `docker://host/`. */
  readonly prefix?: string | undefined;
}

/** Where it goes, and the way there: the same `Route` if it is the same registry. */
export interface CopyDestination {
  readonly route: Route;
  readonly destination: Destination;
}

/** What a copy takes besides. */
export interface CopyOptions extends TransferOptions {
  /** Copies only these of an index. */
  readonly platforms?: readonly Platform[] | undefined;
  /** What the source must name, before anything is written. */
  readonly expectDigest?: Digest | undefined;
  /** Whether signatures and whatever else refers to the image go with it; they do by default. */
  readonly referrers?: boolean;
  /** `false` keeps a tag that names another image, and fails; a promise only as long as nobody else writes. */
  readonly overwrite?: boolean | undefined;
  /** Asks what is missing, and writes nothing. */
  readonly dryRun?: boolean;
}

/**
 * Copies an image from one registry to another, or inside one, with what refers to it; digests stay
 * as they are. Bytes pass through, verified, and touch no disk; inside one registry only manifests
 * travel where it mounts blobs. The tags come last: the image is named when all of it is there.
 *
 * @throws {ContentMismatchError} if the source is not the digest that is expected.
 * @throws {SourceError} if reading fails, after the retries; also if something refers to the image
 * and cannot be read.
 * @throws {RegistryError} if the destination refuses, after the retries.
 */
export async function copy(
  from: CopySource,
  to: CopyDestination,
  given: CopyOptions = {},
): Promise<CopyResult> {
  const options = beginTransfer(given);
  const { repository, named } = await openRemote(from.route, from.target, {
    ...options,
    prefix: from.prefix,
  });
  refuseOther(named, repository, options.expectDigest);
  const source = await sourceOf(repository, named, options.platforms);
  const work = new Copy(from, to, options, repository);
  const { documents, root } = await readGraph(source.root, (part) => source.read(part));
  const generations = await work.referrersOf(documents);
  const previousDigest = await work.previousDigest();
  if (options.overwrite === false) await work.refuseTaken(root, generations.flat());
  const image = await work.send(source);
  const referrers = await work.sendReferrers(generations, documents);
  if (!options.dryRun) await work.name(root);
  const { tags } = to.destination;
  return {
    ...image,
    action: 'copy',
    source: repository.description,
    tags: [...tags],
    ...(previousDigest ? { previousDigest } : {}),
    ...referencesBy(tags, image, options),
    referrers,
    ...paceOf(options.course, options.dryRun ? 0 : image.bytes.transferred),
  };
}

class Copy {
  readonly #from: CopySource;
  readonly #to: CopyDestination;
  readonly #options: CopyOptions;
  readonly #repository: RemoteRepository;
  readonly #tags: TagWriter;

  constructor(
    from: CopySource,
    to: CopyDestination,
    options: CopyOptions,
    repository: RemoteRepository,
  ) {
    this.#from = from;
    this.#to = to;
    this.#options = options;
    this.#repository = repository;
    this.#tags = new TagWriter(to.route, to.destination.repository, options);
  }

  /** All of them are read before anything is written: one that cannot be read fails the copy. */
  async referrersOf(documents: readonly Document[]): Promise<readonly (readonly Referrer[])[]> {
    const { referrers = true, log } = this.#options;
    // Under another tag of its own repository an image keeps what refers to it.
    if (!referrers || (this.#isOneRegistry && this.#isOneRepository)) return [];
    const digests = documents.map(({ descriptor }) => descriptor.digest);
    return await findReferrers(this.#repository, digests, log);
  }

  /** What the first tag names so far: a promotion that goes wrong is taken back with it. */
  async previousDigest(): Promise<Digest | undefined> {
    const [tag] = this.#to.destination.tags;
    return tag === undefined ? undefined : await this.#tags.digestOf(tag);
  }

  /** @throws {ContentMismatchError} if a tag, or one of a signature, names something else. */
  async refuseTaken(root: Document, referrers: readonly Referrer[]): Promise<void> {
    const { repository, tags } = this.#to.destination;
    const wanted = [
      ...tags.map((tag) => ({ tag, digest: root.descriptor.digest })),
      ...referrers.flatMap(({ graph, tag }) =>
        tag === undefined ? [] : [{ tag, digest: graph.root.descriptor.digest }],
      ),
    ];
    const found = await mapConcurrently(wanted, questionsAtOnce, ({ tag }) =>
      this.#tags.digestOf(tag),
    );
    for (const [at, { tag, digest }] of wanted.entries()) {
      refuseTag(`${repository}:${tag}`, found[at], digest);
    }
  }

  /** By digest: no tag names it before everything is there. */
  async send(source: Source): Promise<TransferResult> {
    return await this.#push(source, [], this.#options);
  }

  /** Subjects before what refers to them. */
  async sendReferrers(
    generations: readonly (readonly Referrer[])[],
    documents: readonly Document[],
  ): Promise<CopiedReferrer[]> {
    const { concurrency = transferDefaults.concurrency, dryRun } = this.#options;
    const copied: CopiedReferrer[][] = [];
    for (const generation of generations) {
      copied.push(
        await mapConcurrently(generation, concurrency, (referrer) => this.#sendReferrer(referrer)),
      );
    }
    const found = generations.flat().flatMap(({ graph }) => graph.documents);
    if (!dryRun) {
      const { repository } = this.#to.destination;
      await listReferrers(this.#to.route, repository, [...documents, ...found], this.#options);
    }
    return copied.flat();
  }

  async name(root: Document): Promise<void> {
    for (const tag of this.#to.destination.tags) await this.#tags.put(tag, root);
  }

  async #sendReferrer({ graph, tag }: Referrer): Promise<CopiedReferrer> {
    const source = await sourceOf(this.#repository, graph.root);
    // They are small, and several go at once.
    const options = { ...this.#options, concurrency: 1 };
    const { digest, bytes, previousDigest } = await this.#push(source, tag ? [tag] : [], options);
    if (previousDigest && previousDigest !== digest) {
      this.#options.log?.warn(`${tag} named ${previousDigest} so far, which stays without a tag`);
    }
    const { content } = graph.root;
    const { artifactType } = content.kind === 'index' ? content.index : content.manifest;
    return {
      digest,
      ...(artifactType ? { artifactType } : {}),
      ...(tag ? { tag } : {}),
      transferredBytes: bytes.transferred,
    };
  }

  async #push(
    source: Source,
    tags: readonly string[],
    options: CopyOptions,
  ): Promise<TransferResult> {
    const { repository } = this.#to.destination;
    const mayMount = this.#isOneRegistry && !this.#isOneRepository;
    const mountFrom = mayMount ? [this.#from.target.repository] : [];
    return await push(this.#to.route, source, { repository, tags }, { ...options, mountFrom });
  }

  get #isOneRegistry(): boolean {
    return this.#from.route === this.#to.route;
  }

  get #isOneRepository(): boolean {
    return this.#from.target.repository === this.#to.destination.repository;
  }
}

function refuseOther(
  { descriptor }: Document,
  { description }: RemoteRepository,
  expected: Digest | undefined,
): void {
  if (expected === undefined || descriptor.digest === expected) return;
  throw new ContentMismatchError(
    `Cannot copy ${description}: it is ${descriptor.digest}; want ${expected}. Nothing was written`,
  );
}

function referencesBy(
  tags: readonly string[],
  { repository, digest }: TransferResult,
  { pushHost, pullHost }: TransferOptions,
): Pick<TransferResult, 'pushRefs' | 'pullRefs'> {
  return {
    pushRefs: referencesOf(pushHost, repository, tags, digest),
    pullRefs: referencesOf(pullHost, repository, tags, digest),
  };
}
