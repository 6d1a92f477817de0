import { parseDurationMs } from '@reposure/core';
import { createRegistry } from '@reposure/core/install';
import type { Command } from 'commander';

import type { WaitFlags } from '../commands/waiting.ts';
import { withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { print } from '../output.ts';

interface CreateFlags extends GlobalOptions, WaitFlags {
  readonly provider?: string;
  readonly host?: string;
  readonly service?: string;
  readonly serviceNamespace?: string;
  readonly port?: number;
  readonly tlsSecret?: string;
  readonly tlsSecretKey?: string;
  readonly loginSecret?: string;
  readonly authenticationSecret?: string;
  readonly authenticationSecretDataKey?: string;
  readonly authorizationSecret?: string;
  readonly insecure?: boolean;
  readonly pullHost?: string;
  readonly image?: string;
}

/** `registry create NAME` */
export async function createAction(name: string, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<CreateFlags>();
  const timeoutMs = parseDurationMs(flags.timeout);
  await withCluster(flags, async ({ cluster, namespace, format, log, signal }) => {
    const { registry, outcome } = await createRegistry(cluster, {
      name,
      namespace,
      provider: flags.provider,
      host: flags.host,
      service: flags.service,
      serviceNamespace: flags.serviceNamespace,
      port: flags.port,
      tlsSecret: flags.tlsSecret ?? flags.authenticationSecret,
      tlsSecretKey: flags.tlsSecretKey ?? flags.authenticationSecretDataKey,
      loginSecret: flags.loginSecret ?? flags.authorizationSecret,
      insecure: flags.insecure,
      pullHost: flags.pullHost,
      image: flags.image,
      wait: flags.wait,
      timeoutMs,
      log,
      signal,
    });
    await print(format, {
      value: registry,
      names: [`registry.reposure.puccini.cloud/${name}`],
      text: `Registry "${name}" ${outcome}${flags.wait ? ' and ready' : ''} in namespace "${namespace}"`,
    });
  });
}
