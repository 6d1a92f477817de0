import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

/** Gathers an option that may be repeated. */
export function many(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

/** Which way the images go; `withRoute` takes both. */
export function withRouteOptions(command: Command): Command {
  return command
    .addOption(routeOption())
    .option(
      '--docker-config <folder>',
      "logins (config.json or .dockerconfigjson) before the Registry's own, for --route=direct and docker://; may be repeated",
      many,
    )
    .option(
      '--ca-directory <folder>',
      "CA certificates (*.crt, *.pem) instead of the Registry's own, for --route=direct and docker://",
    )
    .addOption(protocolOption());
}

/** The options of every transfer; their values are `TransferFlags`. */
export function withTransferOptions(command: Command): Command {
  return command
    .option('--retries <n>', 'tries after the first one, for each blob and manifest', count, 5)
    .option('--concurrency <n>', 'blobs that travel at the same time', atLeastOne, 4)
    .option(
      '--timeout <duration>',
      'give up after so long, the way in included, e.g. 90s or 10m; never by default',
    )
    .option(
      '--stall-timeout <duration>',
      'try a request again that moves no byte for so long',
      '60s',
    );
}

/** Parses a count. */
export function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Want a whole number, 0 or more.');
  return Number(text);
}

function atLeastOne(text: string): number {
  const number = count(text);
  if (number === 0) throw new InvalidArgumentError('Want a whole number, 1 or more.');
  return number;
}

function routeOption(): Option {
  return new Option('--route <route>', 'the way in to the registry')
    .choices(['auto', 'direct', 'proxy', 'exec'])
    .default('auto');
}

// For whoever looks for a fault in a proxy on the way, and for the tests.
function protocolOption(): Option {
  return new Option('--exec-protocol <name>', 'the only WebSocket subprotocol to offer')
    .choices(['v5.channel.k8s.io', 'v4.channel.k8s.io'])
    .hideHelp();
}
