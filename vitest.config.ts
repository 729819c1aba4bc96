import { defineConfig } from 'vitest/config';

const scratch = 'test/support/scratch.ts';
const pair = 'test/support/shared-bed.ts';
const clusters = ['test/support/kerberos-addon.ts', 'test/support/clusters-bed.ts'];

/**
 * Six kinds of tests: those that need nothing, those of the template that is deployed, those against one pair of real clusters
 * started for all of them, those against clusters of every other kind, those against a deployment in an emulator of AWS, with
 * clusters too, and those of the full size that the tool is made for, which `npm test` leaves out. Time-outs end what hangs; no test is near them, however busy the machine is.
 */
export default defineConfig({
  test: {
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], globalSetup: [scratch] },
      },
      {
        extends: true,
        test: {
          name: 'infra',
          include: ['test/infra/**/*.test.ts'],
          globalSetup: [scratch, 'test/support/kerberos-addon.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'daemons',
          include: ['test/contract/**/*.test.ts', 'test/integration/**/*.test.ts'],
          globalSetup: [scratch, pair],
        },
      },
      {
        extends: true,
        test: { name: 'clusters', include: ['test/clusters/**/*.test.ts'], globalSetup: [scratch, ...clusters] },
      },
      {
        extends: true,
        test: {
          name: 'aws',
          include: ['test/aws/**/*.test.ts'],
          globalSetup: [scratch, pair, ...clusters, 'test/aws/shared-aws.ts'],
          // Not beside the project clusters, whose tokens its tests would count.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'scale',
          include: ['test/scale/**/*.test.ts'],
          globalSetup: [scratch],
          testTimeout: 3_600_000,
        },
      },
    ],
  },
});
