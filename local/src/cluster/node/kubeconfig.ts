import { stringify } from 'yaml';

/** What a client needs to reach the cluster. */
export interface Access {
  readonly url: string;
  readonly caPem: string;
  /** A bearer token. */
  readonly token: string;
  readonly namespace?: string;
  readonly user: string;
}

/** A kubeconfig with one context, as YAML. It holds the token: keep it where only its user can read. */
export function kubeconfigOf({ url, caPem, token, namespace, user }: Access): string {
  const name = 'reposure-local';
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server: url,
          'certificate-authority-data': Buffer.from(caPem).toString('base64'),
        },
      },
    ],
    users: [{ name: user, user: { token } }],
    contexts: [{ name, context: { cluster: name, user, ...(namespace ? { namespace } : {}) } }],
    'current-context': name,
  });
}
