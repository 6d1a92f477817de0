import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { runPost } from '@reposure/action-shared/post';

// Ends the bridge, before the kubeconfig that it works with is removed.
await runPost(async (state) => {
  const [configDir, script] = [state('bridge'), state('program')];
  if (!configDir || !script) return;
  const words = [script, 'bridge', 'stop', '--config-dir', configDir];
  await promisify(execFile)(process.execPath, words);
});
