import { randomBytes } from 'node:crypto';

import { describeSecured } from '../e2e/secured.ts';

const { KUBECONFIG = '' } = process.env;
const namespace = `reposure-secured-${randomBytes(4).toString('hex')}`;

describeSecured('real cluster', () => ({ env: { KUBECONFIG }, namespace }));
