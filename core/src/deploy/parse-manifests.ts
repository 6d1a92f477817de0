import { parseAllDocuments } from 'yaml';
import type { Document, DocumentOptions, ParseOptions, ScalarTag, SchemaOptions } from 'yaml';
import * as z from 'zod';

import { InputError } from '../errors.ts';
import { parseInput } from '../input.ts';
import type { KubernetesObject } from '../kubernetes/index.ts';
import type { Manifest } from './manifest.ts';

/** Enough of an object to send it somewhere. Its name is checked by the API. */
const Writable = z.looseObject({
  apiVersion: z.string('want e.g. apps/v1').min(1, 'want e.g. apps/v1'),
  kind: z.string('want e.g. Deployment').min(1, 'want e.g. Deployment'),
  metadata: z.looseObject(
    { name: z.string('want a name').min(1, 'want a name'), namespace: z.string().optional() },
    'want a mapping with a name',
  ),
});

/** What kubectl prints for several objects. */
const List = z.looseObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('List'),
  items: z.array(z.unknown()),
});

/** Beyond what anybody writes, and too few for an alias bomb to fill the memory. */
const maxAliases = 1000;

const octal: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) => Number.parseInt(text, 8),
};
const oldBoolean: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(?:y|yes|on|n|no|off)$/i,
  resolve: (text) => /^(?:y|yes|on)$/i.test(text),
};

/** kubectl reads YAML 1.1: `defaultMode: 0644` is octal there, and nobody would notice otherwise. */
const asKubectlReads: ParseOptions & DocumentOptions & SchemaOptions = {
  merge: true,
  logLevel: 'error',
  customTags: (tags) => [octal, oldBoolean, ...tags],
};

/**
 * Parses YAML or JSON with any number of documents; anchors and merge keys are resolved, empty
 * documents skipped, Lists taken apart.
 *
 * @param origin Where the text is from, for messages.
 * @throws {InputError} that says which document is wrong, and where.
 */
export function parseManifests(text: string, origin: string): Manifest[] {
  const documents = parseAllDocuments(text, asKubectlReads);
  if (!Array.isArray(documents)) return [];
  const isOnly = documents.length === 1;
  return documents.flatMap((document, index) => {
    const where = isOnly ? origin : `${origin}, document ${index + 1}`;
    const [error] = document.errors;
    if (error) throw new InputError(`Cannot read ${where}: ${error.message.split('\n')[0]}`);
    return manifestsIn(valueOf(document, where), where);
  });
}

function valueOf(document: Document.Parsed, where: string): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (cause) {
    throw new InputError(`Cannot read ${where}: want at most ${maxAliases} uses of anchors`, {
      cause,
    });
  }
}

function manifestsIn(value: unknown, origin: string): Manifest[] {
  if (value === null || value === undefined) return [];
  const list = List.safeParse(value);
  if (list.success) {
    return list.data.items.flatMap((item, index) =>
      manifestsIn(item, `${origin}, item ${index + 1}`),
    );
  }
  const object = parseInput(Writable, value, `the manifest in ${origin}`);
  refuseKustomization(object, origin);
  // Anchors share parts: what is changed in one place must not change in another.
  return [{ object: JSON.parse(JSON.stringify(object)) as KubernetesObject, origin }];
}

/** kustomize's own input, which no cluster knows. */
function refuseKustomization({ kind }: { readonly kind: string }, origin: string): void {
  if (kind !== 'Kustomization' && kind !== 'Component') return;
  throw new InputError(
    `Cannot apply ${origin}: it is input of kustomize; want its output, as of \`kubectl kustomize DIR\``,
  );
}
