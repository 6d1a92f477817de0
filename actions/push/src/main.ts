import { runStep } from '@reposure/action-shared';

import { pushAction } from './push-action.ts';

await runStep(pushAction);
