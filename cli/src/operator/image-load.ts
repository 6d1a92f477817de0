import { InputError, version } from '@reposure/core';
import { describeReference } from '@reposure/core/oci';
import { loginSecretOf, names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';
import type { Route } from '@reposure/core/surrogate';
import {
  beginTransfer,
  digestReferenceOf,
  isRemote,
  openImage,
  parseDestination,
  parseRemote,
  push,
  remoteRoute,
} from '@reposure/core/transfer';
import type { Destination, PushOptions, TransferResult } from '@reposure/core/transfer';
import type { Command } from 'commander';

import { endingAfter } from '../deadline.ts';
import { logTo, withRoute } from '../environment.ts';
import type { RouteOptions } from '../environment.ts';
import { remoteAccess } from '../image/remote.ts';
import { describeTransfer, parsePatience, usage } from '../image/transfer.ts';
import type { TransferFlags } from '../image/transfer.ts';
import { parseOutputFormat, print } from '../output.ts';
import type { OutputFormat } from '../output.ts';
import { progressView } from '../progress-view.ts';

interface LoadFlags extends RouteOptions, TransferFlags {
  readonly toInsecure?: boolean;
  readonly toCa?: string;
}

/** `operator image load ARCHIVE TARGET [IMAGE]` */
export async function loadAction(command: Command): Promise<void> {
  const [archive = '', target = '', image] = command.args;
  const flags = command.optsWithGlobals<LoadFlags>();
  const format = parseOutputFormat(flags.output);
  if (isRemote(archive)) {
    throw new InputError(`Cannot load ${archive}: want an archive or a layout of this machine`);
  }
  if (!isRemote(target)) {
    const destination = usage(() => parseDestination(image ?? `reposure/reposure:${version}`));
    return await withRoute(flags, target, async ({ route, registry, signal }) => {
      const { pushHost, pullHost } = registry.status ?? {};
      const options = { pushHost, pullHost, signal };
      await load({ archive, route, destination, format, registry }, flags, options);
    });
  }
  if (image !== undefined) {
    throw new InputError(`Cannot name the image "${image}": ${target} has its name in it already`);
  }
  const { registry, ...named } = usage(() => parseRemote(target));
  const destination = usage(() => parseDestination(describeReference(named)));
  const signal = endingAfter(flags.timeout);
  const access = await remoteAccess(
    { insecure: flags.toInsecure, ca: flags.toCa },
    logTo(flags.verbose ?? false),
  );
  const route = await remoteRoute(registry, access);
  try {
    const options = { pushHost: registry, pullHost: registry, signal };
    await load({ archive, route, destination, format }, flags, options);
  } finally {
    await route.close();
  }
}

interface Loading {
  readonly archive: string;
  readonly route: Route;
  readonly destination: Destination;
  readonly format: OutputFormat;
  /** None if the image goes outside the cluster. */
  readonly registry?: Registry;
}

async function load(
  { archive, route, destination, format, registry }: Loading,
  { retries, concurrency, stallTimeout }: LoadFlags,
  given: PushOptions,
): Promise<void> {
  const view = progressView(process.stderr);
  const options = beginTransfer({
    ...given,
    retries,
    concurrency,
    stallTimeoutMs: parsePatience(stallTimeout),
    onProgress: view.onProgress,
  });
  try {
    const source = await openImage(archive, { signal: options.signal });
    try {
      view.note(`Pushing ${source.description} by ${route.via}: ${route.reason}`);
      const result = await push(route, source, destination, options);
      view.close();
      const image = digestReferenceOf(result);
      await print(format, {
        value: result,
        names: [image],
        text: describeLoaded(result, image, registry),
      });
    } finally {
      await source.close();
    }
  } finally {
    view.close();
  }
}

/** With what to type next, on the cluster that is to run it. */
function describeLoaded(result: TransferResult, image: string, registry?: Registry): string {
  const done = describeTransfer(result, 'Loaded');
  if (result.pullRefs.length === 0) {
    return `${done}\n\nNodes have no way to this registry: give it a node port, or name the host: reposure registry create --pull-host`;
  }
  const install = `reposure operator install --image=${image}`;
  if (registry === undefined || loginSecretOf(registry.spec) === undefined) {
    return `${done}\n\n${install}`;
  }
  const { name, namespace } = registry.metadata;
  return `${done}

reposure registry pull-secret ${name} -n ${namespace} --for-namespace NAMESPACE
${install} -n NAMESPACE --image-pull-secret=${names.pullSecret(name)}`;
}
