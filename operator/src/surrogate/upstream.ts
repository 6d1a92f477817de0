import { join } from 'node:path';

import { InputError, parseInput } from '@reposure/core';
import type { Log } from '@reposure/core';
import { directTransport } from '@reposure/core/registry';
import type { ClosableTransport } from '@reposure/core/registry';
import { SurrogateSettings } from '@reposure/core/surrogate';

import { stateOf } from './file-state.ts';
import { loginFileNames, loginFiles, readText } from './login-files.ts';

/**
 * The way to the registry next to the surrogate, made from mounted files and made anew when they
 * change: `config/registry.json`, `tls/ca.crt`, and `login/`.
 *
 * @throws {InputError} from each request, if a file does not hold what it should.
 */
export function upstreamOf(directory: string, log: Log): ClosableTransport {
  const files = [
    join(directory, 'config', 'registry.json'),
    join(directory, 'tls', 'ca.crt'),
    // A transport remembers the login that worked, which may not be the one that is wanted now.
    ...loginFileNames.map((name) => join(directory, 'login', name)),
  ];
  let current: { state: string; transport: Promise<ClosableTransport> } | undefined;
  const upToDate = async (): Promise<ClosableTransport> => {
    const state = (await Promise.all(files.map(stateOf))).join();
    if (current?.state !== state) {
      // Requests under way keep the old one until they are done.
      void closeQuietly(current?.transport);
      current = { state, transport: load(directory, log) };
    }
    return await current.transport;
  };
  return Object.assign(
    async (...request: Parameters<ClosableTransport>) => await (await upToDate())(...request),
    { close: () => closeQuietly(current?.transport) },
  );
}

async function load(directory: string, log: Log): Promise<ClosableTransport> {
  const file = join(directory, 'config', 'registry.json');
  const text = await readText(file);
  if (text === undefined) {
    throw new InputError(
      `Cannot find the registry: there is no ${file}; want it from the operator`,
    );
  }
  const { host, insecure } = parseInput(SurrogateSettings, parseJson(text, file), file);
  const caFile = join(directory, 'tls', 'ca.crt');
  const ca = await readText(caFile);
  // Never unverified instead: a file without a certificate is a mistake that must be seen.
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new InputError(
      `Cannot trust the registry at ${host}: ${caFile} holds no PEM certificate`,
    );
  }
  return directTransport({
    host,
    insecure,
    ...(ca === undefined ? {} : { ca }),
    credentials: loginFiles(join(directory, 'login')),
    log,
  });
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`Cannot read ${file}: it is not JSON`, { cause: error });
  }
}

async function closeQuietly(transport: Promise<ClosableTransport> | undefined): Promise<void> {
  await transport?.then((open) => open.close()).catch(() => {});
}
