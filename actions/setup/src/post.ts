import { info } from '@actions/core';
import { runPost } from '@reposure/action-shared/post';

// Ends the bridge, before the kubeconfig that it works with is removed.
await runPost(async (state) => {
  const script = state('bridge');
  if (!script) return;
  const { stopBridge } = await import('./bridge.ts');
  for (const reference of await stopBridge(script, state('folder'))) info(`Pushed ${reference}`);
});
