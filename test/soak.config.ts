import { defineConfig } from 'vitest/config';

/** What takes minutes and gigabytes: `npm run test:soak`. */
export default defineConfig({
  test: {
    globalSetup: 'test/support/program-bundle.ts',
    include: ['test/soak/**/*.test.ts'],
    // One after the other: each wants the machine for itself.
    fileParallelism: false,
    testTimeout: 1_800_000,
    hookTimeout: 300_000,
  },
});
