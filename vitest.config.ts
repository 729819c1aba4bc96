import { defineConfig } from 'vitest/config';

/**
 * Five kinds of tests: those that need nothing, those of the template that is deployed, those against one pair of real clusters
 * started for all of them, those against clusters of every other kind, and those against a deployment in an emulator of AWS, with a pair of clusters too.
 */
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
          name: 'infra',
          include: ['test/infra/**/*.test.ts'],
          globalSetup: ['test/support/scratch.ts', 'test/support/kerberos-addon.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'daemons',
          include: ['test/contract/**/*.test.ts', 'test/integration/**/*.test.ts'],
          globalSetup: ['test/support/scratch.ts', 'test/support/shared-bed.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'clusters',
          include: ['test/clusters/**/*.test.ts'],
          globalSetup: ['test/support/scratch.ts', 'test/support/kerberos-addon.ts', 'test/support/clusters-bed.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'aws',
          include: ['test/aws/**/*.test.ts'],
          globalSetup: [
            'test/support/scratch.ts',
            'test/support/shared-bed.ts',
            'test/support/kerberos-addon.ts',
            'test/support/clusters-bed.ts',
            'test/aws/shared-aws.ts',
          ],
        },
      },
    ],
  },
});
