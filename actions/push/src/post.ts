import { runPost } from '@reposure/action-shared/post';

// The Pod of a pull that was being verified, before the kubeconfig is removed that can delete it.
await runPost(async (state) => {
  const pod = state('pod');
  if (!pod) return;
  const { removeLeftPod } = await import('./verify-pulls.ts');
  await removeLeftPod(pod);
});
