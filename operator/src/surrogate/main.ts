import { explain, InputError } from '@reposure/core';
import { surrogateGatewayPort, surrogateHealthPort, surrogatePaths } from '@reposure/core/resource';

import { parsePort, readArguments } from '../arguments.ts';
import type { Io } from './serve.ts';
import { openStandardInput } from './standard-input.ts';

const usage = `Usage: reposure-surrogate serve [--directory=DIR]
       reposure-surrogate run [--directory=DIR] [--address=IP] [--port=N] [--gateway-port=N]

serve  one session over standard input and output: a client starts it by exec
run    the Pod's main program: answers /livez, and /readyz after asking the registry; serves the
       signed gateway of the route "proxy", HTTPS

  --directory     holds config/registry.json, tls/ca.crt, login/ and keys/; ${surrogatePaths.directory} by default
  --address       127.0.0.1 by default
  --port          of /livez and /readyz; ${surrogateHealthPort} by default
  --gateway-port  of the signed gateway; ${surrogateGatewayPort} by default
`;

const known = {
  help: { type: 'boolean', short: 'h', default: false },
  directory: { type: 'string', default: surrogatePaths.directory },
  address: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: String(surrogateHealthPort) },
  'gateway-port': { type: 'string', default: String(surrogateGatewayPort) },
} as const;

/**
 * The program `reposure-surrogate`.
 *
 * @param argv Without the names of node and of the program.
 * @returns The exit status: 0 ended, 1 failed, 2 wrong usage, 3 too busy.
 */
export async function surrogateMain(argv: readonly string[], io: Io = process): Promise<number> {
  try {
    const options = parse(argv);
    if (options.help) {
      io.stdout.write(usage);
      return 0;
    }
    return options.command === 'serve' ? await startServe(options, io) : await startRun(options);
  } catch (error) {
    io.stderr.write(`${explain(error)}\n`);
    return error instanceof InputError ? 2 : 1;
  }
}

/** Loaded alone: a client waits for it. */
async function startServe({ directory }: Options, io: Io): Promise<number> {
  const { serve } = await import('./serve.ts');
  const { stdout, stderr } = io;
  const stdin = io === process ? openStandardInput() : io.stdin;
  return endSoon(await serve(directory, { stdin, stdout, stderr }));
}

async function startRun(options: Options): Promise<number> {
  const [{ run }, { jsonLog }] = await Promise.all([import('./run.ts'), import('../json-log.ts')]);
  await run({ ...options, log: jsonLog('info'), signal: interruption() });
  return 0;
}

/** A pipe that nobody reads any more would keep the process, which must not outlive its client. */
function endSoon(status: number): number {
  setTimeout(() => process.exit(status), 1_000).unref();
  return status;
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

interface Options {
  readonly help: boolean;
  readonly command: 'run' | 'serve';
  readonly directory: string;
  readonly address: string;
  readonly port: number;
  readonly gatewayPort: number;
}

function parse(argv: readonly string[]): Options {
  const { values, positionals } = readArguments(argv, known, usage);
  const { help, directory, address } = values;
  const [command = '', ...rest] = positionals;
  if (!help && ((command !== 'run' && command !== 'serve') || rest.length > 0)) {
    throw new InputError(`Cannot run "${positionals.join(' ')}": want serve or run\n\n${usage}`);
  }
  return {
    help,
    command: command === 'run' ? 'run' : 'serve',
    directory,
    address,
    port: parsePort(values.port),
    gatewayPort: parsePort(values['gateway-port']),
  };
}
