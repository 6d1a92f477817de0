import { hostname } from 'node:os';

import { explain, InputError, version } from '@reposure/core';
import { imagePullPolicies } from '@reposure/core/install';
import type { ImagePull } from '@reposure/core/install';
import { openCluster } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';

import { parsePort, readArguments } from './arguments.ts';
import { LeadershipLostError } from './controller/leader.ts';
import { Metrics } from './controller/metrics.ts';
import { runOperator } from './controller/operator.ts';
import { jsonLog } from './json-log.ts';

const usage = `Usage: reposure-operator run [--namespace=NAME] [--all-namespaces] [--image=NAME]
                             [--address=IP] [--port=N] [--identity=NAME]
                             [--log-level=info|debug|warn]
                             [--image-pull-policy=POLICY] [--image-pull-secret=NAME]…

Reconciles the Registries of one namespace, or of all, until it is told to stop.

  --namespace       the one to look after; the kubeconfig's or the Pod's own by default
  --all-namespaces  look after all others as well, but for those with an operator of their own
  --image           of the surrogates; this version's by default
  --image-pull-policy, --image-pull-secret
                    how nodes pull it; Kubernetes' own way by default
  --address         where to serve /livez, /readyz and /metrics; 127.0.0.1 by default
  --port            8080 by default
  --identity        differs between any two operators; the host name by default
`;

const known = {
  namespace: { type: 'string' },
  'all-namespaces': { type: 'boolean', default: false },
  image: { type: 'string', default: names.image(version) },
  address: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '8080' },
  identity: { type: 'string', default: hostname() },
  'image-pull-policy': { type: 'string' },
  'image-pull-secret': { type: 'string', multiple: true },
  'log-level': { type: 'string', default: 'info' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * The program `reposure-operator`.
 *
 * @param argv Without the names of node and of the program.
 * @returns The exit status: 0 stopped, 1 failed, 2 wrong usage.
 */
export async function operatorMain(argv: readonly string[]): Promise<number> {
  try {
    const options = parse(argv);
    if (options === undefined) {
      process.stdout.write(usage);
      return 0;
    }
    await run(options);
    return 0;
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    // Another may lead: whatever still hangs must not keep this process.
    if (error instanceof LeadershipLostError) setTimeout(() => process.exit(1), 1000).unref();
    return error instanceof InputError ? 2 : 1;
  }
}

type Options = NonNullable<ReturnType<typeof parse>>;

function parse(argv: readonly string[]) {
  const { values, positionals } = readArguments(argv, known, usage);
  if (values.help) return undefined;
  if (positionals.join(' ') !== 'run') throw new InputError(`Cannot run: want "run"\n\n${usage}`);
  return { ...values, port: parsePort(values.port), pull: pullOf(values) };
}

interface PullFlags {
  readonly 'image-pull-policy'?: string | undefined;
  readonly 'image-pull-secret'?: readonly string[] | undefined;
}

function pullOf(flags: PullFlags): ImagePull {
  const { 'image-pull-policy': asked, 'image-pull-secret': imagePullSecrets } = flags;
  const imagePullPolicy = imagePullPolicies.find((policy) => policy === asked);
  if (imagePullPolicy === asked) return { imagePullPolicy, imagePullSecrets };
  throw new InputError(
    `Cannot use --image-pull-policy=${asked}: want ${imagePullPolicies.join(', ')}\n\n${usage}`,
  );
}

async function run(options: Options): Promise<void> {
  const log = jsonLog(options['log-level']);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGTERM', onSignal).once('SIGINT', onSignal);
  const metrics = new Metrics();
  const kubernetes = await openCluster({
    kubeconfig: process.env['KUBECONFIG'],
    log,
    onAnswer: (answer) => metrics.answered(answer),
  });
  try {
    const { namespace = kubernetes.namespace, image, address, port, identity } = options;
    const allNamespaces = options['all-namespaces'];
    const where = allNamespaces ? `all namespaces from ${namespace}` : `namespace ${namespace}`;
    log.info(`Reposure operator ${version}, ${where}, ${kubernetes.server}`);
    await runOperator({
      kubernetes,
      namespace,
      allNamespaces,
      metrics,
      image,
      pull: options.pull,
      address,
      port,
      identity,
      log,
      signal: stop.signal,
    });
    log.info('Stopped');
  } finally {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
    kubernetes.close();
  }
}
