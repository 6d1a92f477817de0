import { dirname, join } from 'node:path';

import { runStep } from '@reposure/action-shared';

import { setupAction } from './setup-action.ts';

// The command line's bundle lies beside ours.
const script = join(dirname(process.argv[1] ?? ''), 'reposure.js');
await runStep(setupAction({ node: process.execPath, script }));
