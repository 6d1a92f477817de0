import { runStep } from '@reposure/action-shared';

import { deployAction } from './deploy-action.ts';

await runStep(deployAction);
