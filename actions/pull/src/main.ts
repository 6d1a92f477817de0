import { runStep } from '@reposure/action-shared';

import { pullAction } from './pull-action.ts';

await runStep(pullAction);
