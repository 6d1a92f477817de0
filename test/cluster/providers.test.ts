import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { parse } from 'yaml';

import { describeProviders } from '../e2e/providers.ts';
import type { ApiAccess } from '../support/stand-ins.ts';

const { KUBECONFIG = '' } = process.env;
const namespace = `reposure-providers-${randomBytes(4).toString('hex')}`;

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
}

/** Of a kubeconfig with one cluster, as the test cluster's is. */
function accessOf(file: string): ApiAccess {
  const { clusters } = parse(readFileSync(file, 'utf8')) as Kubeconfig;
  const { server = '', 'certificate-authority-data': ca = '' } = clusters[0]?.cluster ?? {};
  return { url: server, ca: Buffer.from(ca, 'base64').toString() };
}

describeProviders('real cluster', () => ({
  env: { KUBECONFIG },
  namespace,
  api: accessOf(KUBECONFIG),
}));
