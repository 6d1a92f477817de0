import { InputError } from '../errors.ts';
import { isHost, providerNames, wantsEndpoint } from '../providers/index.ts';
import { isRegistryName, maxRegistryNameLength, RegistrySpec } from '../resource/index.ts';

/**
 * What a person says about a registry: exactly one of `host`, `service` and a `provider` that is found
 * by itself; other providers say what is at the one or the other.
 */
export interface RegistryInput {
  readonly name: string;
  readonly namespace: string;
  readonly provider?: string | undefined;
  /** `host[:port]` */
  readonly host?: string | undefined;
  readonly service?: string | undefined;
  /** The Registry's own by default. */
  readonly serviceNamespace?: string | undefined;
  /** The Service's; 5000 by default. */
  readonly port?: number | undefined;
  readonly tlsSecret?: string | undefined;
  /** `ca.crt`, else `tls.crt`, by default. */
  readonly tlsSecretKey?: string | undefined;
  readonly loginSecret?: string | undefined;
  readonly insecure?: boolean | undefined;
  /** Where nodes pull by another name. */
  readonly pullHost?: string | undefined;
  /** The surrogate's. */
  readonly image?: string | undefined;
  readonly replicas?: number | undefined;
}

/**
 * The `spec` of a Registry, from what a person said.
 *
 * @throws {InputError} if it names no registry, or more than one.
 */
export function registrySpecOf(input: RegistryInput): RegistrySpec {
  const { name, host, service } = input;
  const refuse = (state: string): never => {
    throw new InputError(`Cannot create Registry "${name}": ${state}`);
  };
  if (!isRegistryName(name)) {
    refuse(
      `the name wants at most ${maxRegistryNameLength} lower-case letters, digits and - between them`,
    );
  }
  requirePlace(input, refuse);
  for (const [flag, value] of Object.entries({ '--host': host, '--pull-host': input.pullHost })) {
    if (value !== undefined && !isHost(value)) refuse(`${flag} wants host[:port]`);
  }
  if (service === undefined && (input.serviceNamespace ?? input.port) !== undefined) {
    refuse('--service-namespace and --port want --service');
  }
  return withoutUndefined(input);
}

/** One registry, and no two. */
function requirePlace(
  { provider, host, service }: RegistryInput,
  refuse: (state: string) => never,
): void {
  if (provider !== undefined && !providerNames.includes(provider)) {
    refuse(
      `there is no provider "${provider}"; want one of ${providerNames.join(', ')}, or the registry by --host or --service`,
    );
  }
  const endpoints = [host, service].filter((each) => each !== undefined).length;
  if (provider === undefined || !wantsEndpoint(provider)) {
    const isOne = endpoints + (provider === undefined ? 0 : 1) === 1;
    if (!isOne) refuse('want exactly one of --provider, --host and --service');
  } else if (endpoints !== 1) {
    refuse(`--provider=${provider} wants exactly one of --host and --service`);
  }
}

function withoutUndefined(input: RegistryInput): RegistrySpec {
  const { host, service, serviceNamespace: namespace, port } = input;
  const spec = {
    type: 'oci',
    provider: input.provider,
    direct: host === undefined ? undefined : { host },
    indirect: service === undefined ? undefined : { service, namespace, port },
    tlsSecret: input.tlsSecret,
    authenticationSecretDataKey: input.tlsSecretKey,
    loginSecret: input.loginSecret,
    insecure: input.insecure,
    pullHost: input.pullHost,
    image: input.image,
    replicas: input.replicas,
  };
  // Parsed: defaults are filled in as the API does, so that the two can be compared.
  return RegistrySpec.parse(JSON.parse(JSON.stringify(spec)));
}
