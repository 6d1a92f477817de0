import { randomBytes } from 'node:crypto';

import { describeOperatorRestarts } from '../e2e/operator-restarts.ts';
import { describeOperatorRights } from '../e2e/operator-rights.ts';
import { describeOperatorScope } from '../e2e/operator-scope.ts';

const { KUBECONFIG = '' } = process.env;
const suffix = randomBytes(4).toString('hex');
const world = (name: string) => () => ({
  env: { KUBECONFIG },
  namespace: `reposure-${name}-${suffix}`,
});

describeOperatorRights('real cluster', world('rights'));
describeOperatorScope('real cluster', world('scope'));
describeOperatorRestarts('real cluster', world('restarts'));
