import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { names } from '@reposure/core/resource';
import { parse } from 'yaml';

import { serverOf } from './arena.ts';
import type { Arena, Kubeconfig } from './arena.ts';
import type { CommandFor } from './contestants.ts';

/**
 * `curl` through the API server's proxy to the registry itself: no surrogate, no signature, and nothing
 * is hashed. It is no way to push an image to a registry that wants a login, but it shows what the API
 * server leaves to whoever goes through it.
 */
export interface Curl {
  readonly push: CommandFor;
  /** Throws away what comes. */
  readonly pull: CommandFor;
}

const push = `
answered() { sed -n 's|^[Ll]ocation: https*://[^/]*||p' | tr -d '\\r'; }
manifest=$(grep -o 'sha256:[0-9a-f]*' "$FOLDER/index.json" | cut -d: -f2)
for blob in "$FOLDER"/blobs/sha256/*; do
  digest=$(basename "$blob")
  [ "$digest" = "$manifest" ] && continue
  at=$(curl -K "$CONFIG" -X POST -D - -o /dev/null "$BASE/v2/$REPOSITORY/blobs/uploads/" | answered)
  at=$(curl -K "$CONFIG" -X PATCH -T "$blob" -D - -o /dev/null "$SERVER$at" | answered)
  curl -K "$CONFIG" -X PUT -o /dev/null "$SERVER$at&digest=sha256:$digest"
done
curl -K "$CONFIG" -X PUT -H "Content-Type: $TYPE" -T "$FOLDER/blobs/sha256/$manifest" \\
  "$BASE/v2/$REPOSITORY/manifests/1"
`;

const pull = `
for digest in $(curl -K "$CONFIG" -H "Accept: $TYPE" "$BASE/v2/$REPOSITORY/manifests/1" | grep -o 'sha256:[0-9a-f]*'); do
  curl -K "$CONFIG" -o /dev/null "$BASE/v2/$REPOSITORY/blobs/$digest"
done
`;

/** @param directory For what curl reads: never in its arguments. */
export async function curlOf({ env, namespace }: Arena, directory: string): Promise<Curl> {
  const kubeconfig = parse(await readFile(env['KUBECONFIG'] ?? '', 'utf8')) as Kubeconfig;
  const server = serverOf(kubeconfig);
  const config = join(directory, 'curl');
  await writeFile(config, await settingsFor(kubeconfig.users[0]?.user ?? {}, directory), {
    mode: 0o600,
  });
  const base = `${server}/api/v1/namespaces/${namespace}/services/http:${names.simple}:5000/proxy`;
  const commandFor =
    (script: string): CommandFor =>
    (repository, folder) => ({
      words: ['sh', '-ec', script],
      env: {
        CONFIG: config,
        SERVER: server,
        BASE: base,
        TYPE: 'application/vnd.oci.image.manifest.v1+json',
        REPOSITORY: repository,
        FOLDER: folder,
      },
    });
  return { push: commandFor(push), pull: commandFor(pull) };
}

/** The server is not verified: a link in between has another name, and the bytes cost the same. */
async function settingsFor(
  user: Readonly<Record<string, string>>,
  directory: string,
): Promise<string> {
  const lines = ['fail', 'silent', 'show-error', 'http1.1', 'insecure'];
  for (const [setting, key] of Object.entries({
    cert: 'client-certificate-data',
    key: 'client-key-data',
  })) {
    const text = user[key];
    if (text === undefined) continue;
    const path = join(directory, `curl-${setting}`);
    await writeFile(path, Buffer.from(text, 'base64'), { mode: 0o600 });
    lines.push(`${setting} = "${path}"`);
  }
  const { token } = user;
  if (token !== undefined) lines.push(`header = "Authorization: Bearer ${token}"`);
  return lines.join('\n');
}
