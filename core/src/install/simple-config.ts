import { randomBytes } from 'node:crypto';

import * as z from 'zod';

import { sha256Hex } from '../bytes.ts';
import { InputError, NotFoundError } from '../errors.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Log } from '../log.ts';
import { names } from '../resource/index.ts';
import { findSecret, putSecret, secretTextsOf } from './owned-secret.ts';
import type { SecretTexts } from './owned-secret.ts';
import type { SimpleStorage } from './simple-storage.ts';

const configKey = 'config.yml';

/** The two halves of a login at S3, in the words of AWS's environment or of Distribution. */
const s3KeyNames = [
  ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
  ['accesskey', 'secretkey'],
] as const;

const Config = z.object({ http: z.object({ secret: z.string().min(32) }) });

/**
 * Makes sure that the simple registry has the secret part of its configuration: what signs the state
 * of uploads, so that another Pod, or the next one, goes on with them; and the login at S3.
 *
 * A file and not the environment: what is in there is shown by too many tools.
 *
 * @returns What changes when it does; the random part keeps the rest from being guessed by it.
 * @throws {NotFoundError} if there is no Secret for S3.
 * @throws {InputError} if it holds no login.
 */
export async function ensureConfig(
  kubernetes: KubernetesClient,
  namespace: string,
  { storage, log }: { readonly storage: SimpleStorage; readonly log: Log },
): Promise<string> {
  const existing = await findSecret(kubernetes, names.simpleConfig, namespace);
  const secret = httpSecretIn(secretTextsOf(existing)) ?? randomBytes(32).toString('base64url');
  const driver =
    storage.kind === 's3'
      ? { s3: await s3LoginOf(kubernetes, namespace, storage.secret) }
      : { filesystem: {} };
  // JSON is YAML.
  const config = JSON.stringify({ version: 0.1, http: { secret }, storage: driver });
  const wanted = { name: names.simpleConfig, namespace, texts: { [configKey]: config } };
  await putSecret(kubernetes, existing, wanted, log);
  return sha256Hex(config).slice(0, 16);
}

function httpSecretIn(texts: SecretTexts): string | undefined {
  try {
    return Config.parse(JSON.parse(texts[configKey] ?? '')).http.secret;
  } catch {
    return undefined;
  }
}

async function s3LoginOf(
  kubernetes: KubernetesClient,
  namespace: string,
  name: string,
): Promise<{ accesskey: string; secretkey: string }> {
  const secret = await findSecret(kubernetes, name, namespace);
  const wanted = s3KeyNames.map((pair) => pair.join(' and ')).join(', or ');
  if (secret === undefined) {
    throw new NotFoundError(
      `Cannot use S3: there is no Secret ${namespace}/${name}; want one with ${wanted}`,
    );
  }
  const texts = secretTextsOf(secret);
  for (const [id, key] of s3KeyNames) {
    const [accesskey, secretkey] = [texts[id]?.trim(), texts[key]?.trim()];
    if (accesskey && secretkey) return { accesskey, secretkey };
  }
  throw new InputError(
    `Cannot use S3: Secret ${namespace}/${name} holds no login; want ${wanted} in it`,
  );
}
