import { defineConfig } from 'vitest/config';

/** What needs a real cluster: any that `KUBECONFIG` names. */
export default defineConfig({
  test: {
    globalSetup: 'test/support/program-bundle.ts',
    include: ['test/cluster/**/*.test.ts'],
    isolate: false,
    // Each file in namespaces of its own; they wait for Pods most of the time.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
