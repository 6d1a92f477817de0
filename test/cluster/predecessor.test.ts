import { randomBytes } from 'node:crypto';

import { describePredecessor } from '../e2e/predecessor.ts';

const { KUBECONFIG = '' } = process.env;
const namespace = `reposure-predecessor-${randomBytes(4).toString('hex')}`;

describePredecessor('real cluster', () => ({ env: { KUBECONFIG }, namespace }));
