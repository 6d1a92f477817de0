/** Where an image could not be pulled. */
export interface FailedPull {
  readonly image: string;
  /** What the node's runtime said. */
  readonly cause: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The Registry whose nodes' host the image is of, where there is one. */
  readonly registry: { readonly name: string; readonly namespace: string } | undefined;
}

type Step = (pull: FailedPull, host: string) => string;

/** In the order in which they are looked for: a registry that asks for a login often says "denied", too. */
const advice: readonly (readonly [RegExp, Step])[] = [
  [/the embedded cluster runs only/, () => 'want a real cluster, or one of these images'],
  [
    /server gave HTTP response to HTTPS client|http: server gave HTTP/i,
    (_, host) =>
      `nodes speak HTTPS and ${host} answers HTTP: want TLS there, or the nodes told (containerd: /etc/containerd/certs.d/${host}/hosts.toml)`,
  ],
  [
    /x509|certificate|tls: /i,
    (_, host) =>
      `nodes do not trust the certificate of ${host}: want its CA on every node (containerd: /etc/containerd/certs.d/${host}/hosts.toml with ca), or a name that they trust as the Registry's spec.pullHost`,
  ],
  [
    /unauthorized|authentication required|authorization failed|no basic auth|denied|forbidden|40[13]\b/i,
    ({ namespace, serviceAccount, registry }) =>
      `nodes have no login for it, or one that does not suffice: want \`reposure${registry ? ` -n ${registry.namespace}` : ''} registry pull-secret ${registry?.name ?? 'REGISTRY'} --for-namespace ${namespace} --service-account ${serviceAccount}\``,
  ],
  [
    /not found|manifest unknown|name unknown|does not exist/i,
    ({ registry }) =>
      `the registry does not have it: want it pushed first (\`reposure image list ${registry?.name ?? 'REGISTRY'}\` shows what is there)`,
  ],
  [
    /no such host|connection refused|i\/o timeout|no route to host|deadline exceeded|server misbehaving/i,
    ({ registry }, host) =>
      `nodes cannot reach ${host}: want the name by which they pull (\`reposure registry info ${registry?.name ?? 'REGISTRY'} host\`), not the one by which Pods push`,
  ],
  [/no match for platform|exec format/i, () => 'want the image for the platform of the nodes, too'],
  [/invalid reference|InvalidImageName|couldn't parse image/i, () => 'want HOST/REPOSITORY@DIGEST'],
];

/** What may be done about it: one clause, `undefined` if nobody knows. */
export function adviceOn(pull: FailedPull): string | undefined {
  const host = hostOf(pull.image);
  return advice.find(([pattern]) => pattern.test(pull.cause))?.[1](pull, host);
}

/** Of `localhost:5000/team/app@sha256:…`, `localhost:5000`. */
export function hostOf(image: string): string {
  const [first = ''] = image.split('/');
  return image.includes('/') && /[.:]|^localhost$/.test(first) ? first : 'docker.io';
}

/** What a runtime says about a pull, without what it says twice. */
export function pullCauseIn(message: string): string {
  return message
    .replace(/^Back-off pulling image "[^"]*"(?:: )?/, '')
    .replace(/^(?:Error: )?(?:ErrImagePull|ImagePullBackOff)(?:: )?/, '')
    .replace(/^Failed to pull image "[^"]*"(?:: )?/, '')
    .replace(/rpc error: code = \w+ desc = /g, '')
    .replace(/failed to pull and unpack image "[^"]*": /g, '')
    .replace(/failed to resolve (?:reference|image) "[^"]*": /g, '')
    .trim();
}
