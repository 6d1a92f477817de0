import { runPost } from '@reposure/action-shared/post';

// Ends the bridge, before the kubeconfig that it works with is removed.
await runPost(async (state) => {
  const script = state('bridge');
  if (!script) return;
  const { stopBridge } = await import('./bridge.ts');
  await stopBridge(script, state('folder'));
});
