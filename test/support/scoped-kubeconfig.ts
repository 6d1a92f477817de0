import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parse, stringify } from 'yaml';

interface Kubeconfig {
  readonly 'current-context': string;
  readonly contexts: { readonly name: string; context: { namespace?: string } }[];
}

/**
 * Writes the kubeconfig of the tests again with a namespace of its own, as a pipeline has it.
 *
 * @returns The environment of what uses it; nothing is remembered outside of `folder`.
 */
export async function scopedKubeconfig(
  { namespace }: { readonly namespace: string },
  folder: string,
): Promise<Record<string, string>> {
  const text = await readFile(process.env['KUBECONFIG'] ?? '', 'utf8');
  const kubeconfig = parse(text) as Kubeconfig;
  const current = kubeconfig.contexts.find(({ name }) => name === kubeconfig['current-context']);
  if (!current) throw new Error('the kubeconfig of the tests has no current context');
  current.context.namespace = namespace;
  const path = join(folder, 'kubeconfig');
  await writeFile(path, stringify(kubeconfig), { mode: 0o600 });
  return { KUBECONFIG: path, XDG_STATE_HOME: join(folder, 'state') };
}
