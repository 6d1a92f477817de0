import { InputError } from '@reposure/core';
import type { ArchiveItem } from '@reposure/core/content';
import type { Registry } from '@reposure/core/resource';
import { requireRepository } from '@reposure/core/resource';
import {
  createArtifacts,
  describeArtifact,
  parseArtifact,
  parseDestination,
  useArtifact,
} from '@reposure/core/transfer';
import type { Artifact } from '@reposure/core/transfer';
import type { Command } from 'commander';

import { withRoute } from '../environment.ts';
import type { RouteOptions } from '../environment.ts';
import { parsePatience, usage } from '../image/transfer.ts';
import type { TransferFlags } from '../image/transfer.ts';
import { print } from '../output.ts';
import { progressView } from '../progress-view.ts';
import { emptyResult, writeResults } from '../results.ts';
import { fallBack } from './fallback.ts';

interface ArtifactFlags extends RouteOptions, TransferFlags {
  readonly fallback?: string;
}

/** `artifact create REGISTRY IMAGE FILE=PATH…` */
export async function createAction(command: Command): Promise<void> {
  const [registryName = '', image = '', ...pairs] = command.args;
  const flags = command.optsWithGlobals<ArtifactFlags>();
  const items = pairs.map(itemOf);
  for (const { file } of items) emptyResult('artifact', file);
  const destination = usage(() => parseDestination(image));
  const stallTimeoutMs = parsePatience(flags.stallTimeout);
  await withRoute(flags, registryName, async ({ route, registry, format, log, signal }) => {
    requireRepository(registry, destination.repository, 'write');
    const view = progressView(process.stderr);
    try {
      view.note(`Pushing ${items.length} artifact(s) by ${route.via}: ${route.reason}`);
      const { artifacts, push } = await createArtifacts(route, items, destination, {
        ...flags,
        pushHost: pushHostOf(registry),
        pullHost: registry.status?.pullHost,
        stallTimeoutMs,
        signal,
        log,
        onProgress: view.onProgress,
      });
      view.close();
      const texts = artifacts.map(describeArtifact);
      const files = new Map(items.map(({ file }) => [file, file]));
      writeResults(files, Object.fromEntries(items.map(({ file }, at) => [file, texts[at] ?? ''])));
      const value = { artifacts: texts, push };
      await print(format, { value, names: texts, text: texts.join('\n') });
    } finally {
      view.close();
    }
  });
}

/** `artifact use REGISTRY ARTIFACT=FOLDER…` */
export async function useAction(command: Command): Promise<void> {
  const [registryName = '', ...pairs] = command.args;
  const flags = command.optsWithGlobals<ArtifactFlags>();
  const uses = pairs.map(useOf);
  const stallTimeoutMs = parsePatience(flags.stallTimeout);
  for (const { artifact, folder } of uses) {
    if (artifact === undefined) await fallBack(folder, flags.fallback);
  }
  const wanted = uses.filter((use) => use.artifact !== undefined);
  // Nothing to fetch: the registry, and the right to read it, need not be there.
  if (wanted.length === 0) return;
  await withRoute({ ...flags, access: 'read' }, registryName, async (opened) => {
    const { route, registry, format, log, signal } = opened;
    for (const { artifact } of wanted) refuseElsewhere(artifact, registry);
    const options = { ...flags, stallTimeoutMs, signal, log };
    for (const { artifact, folder } of wanted) {
      if (artifact === undefined) continue;
      log.info(`Fetching ${describeArtifact(artifact)} by ${route.via}: ${route.reason}`);
      const { files } = await useArtifact(route, artifact, folder, options);
      log.info(`Unpacked ${files} files to ${folder}`);
    }
    const folders = wanted.map(({ folder }) => folder);
    await print(format, { value: { folders }, names: folders, text: folders.join('\n') });
  });
}

interface Use {
  /** None for an empty word, as a pipeline's param has it that was not given. */
  readonly artifact: Artifact | undefined;
  readonly folder: string;
}

function useOf(text: string): Use {
  const at = text.indexOf('=');
  const folder = text.slice(at + 1);
  if (at < 0 || folder === '') {
    throw new InputError(`Cannot use "${text}": want ARTIFACT=FOLDER`);
  }
  return { artifact: at === 0 ? undefined : parseArtifact(text.slice(0, at)), folder };
}

function itemOf(text: string): ArchiveItem & { readonly file: string } {
  const at = text.indexOf('=');
  const [file, path] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || path === '') {
    throw new InputError(
      `Cannot make an artifact of "${text}": want FILE=PATH: the file gets the artifact's name, the path is what goes into it${at > 0 ? '; is the workspace bound?' : ''}`,
    );
  }
  return { file, path, title: file.slice(file.lastIndexOf('/') + 1) };
}

function pushHostOf({ metadata, status }: Registry): string {
  if (status?.pushHost) return status.pushHost;
  throw new InputError(
    `Cannot name artifacts in registry "${metadata.name}": nobody knows its host yet; see \`reposure registry describe ${metadata.name}\``,
  );
}

/** Each registry has one way in: the one that was named. */
function refuseElsewhere(artifact: Artifact | undefined, { metadata, status }: Registry): void {
  if (artifact === undefined) return;
  const hosts = [status?.pushHost, status?.pullHost].filter((host) => host !== undefined);
  if (hosts.includes(artifact.registry)) return;
  throw new InputError(
    `Cannot use artifact ${describeArtifact(artifact)}: registry "${metadata.name}" is ${hosts.join(' or ') || 'not resolved yet'}; want the Registry that it was pushed to`,
  );
}
