import { randomBytes } from 'node:crypto';

import { describeOperatorAttacks } from '../e2e/operator-attacks.ts';
import { describeOperatorInput } from '../e2e/operator-input.ts';

const { KUBECONFIG = '' } = process.env;
const suffix = randomBytes(4).toString('hex');
const world = (name: string) => () => ({
  env: { KUBECONFIG },
  namespace: `reposure-${name}-${suffix}`,
});

describeOperatorAttacks('real cluster', world('attacks'));
describeOperatorInput('real cluster', world('input'));
