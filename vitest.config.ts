import { defineConfig } from 'vitest/config';

/** Two kinds of tests: those that need nothing, and those against one pair of real clusters started for all of them. */
export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], globalSetup: ['test/support/scratch.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'daemons',
          include: ['test/contract/**/*.test.ts', 'test/integration/**/*.test.ts'],
          globalSetup: ['test/support/scratch.ts', 'test/support/shared-bed.ts'],
        },
      },
    ],
  },
});
