import type { TestProject } from 'vitest/node';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Deployment, deploy, writeConfig } from './emulator/deploy.ts';
import { startEmulator } from './emulator/emulator.ts';
import { runCli } from '../support/cli.ts';

/** What tests know of the emulator that they share, and of the deployment in it. Each test keeps to jobs of its own there. */
export interface SharedAws extends Deployment {
  /** For child processes; `clientsOf` makes clients of it. */
  readonly environment: Readonly<Record<string, string>>;
}

declare module 'vitest' {
  export interface ProvidedContext {
    aws: SharedAws;
  }
}

/** Off until a test wants it. */
export const schedule = {
  name: 'each-minute',
  expression: 'rate(1 minute)',
  enabled: false,
  job: { source: 'A:/scheduled', destination: 'B:/scheduled', options: { mapping: 'exact', force: true } },
} as const;

/** Clusters without Kerberos. A proxy has an alias for each file of tests that leads it elsewhere: they run at the same time. */
const plain = {
  A: {},
  B: {},
  chunksProxy: {},
  deniedProxy: {},
  faultProxy: {},
  httpfs: {},
  nobody: {},
  patient: {},
  outageProxy: {},
  stallsProxy: {},
  token: {},
  verifyProxy: {},
};

/** Starts the emulator with IAM on, deploys into it and gives the deployment the clusters A and B of the shared bed. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const emulator = await startEmulator({ iam: true });
  const scratch = await mkdtemp(join(tmpdir(), 'hdfs-fanout-deploy-'));
  const stop = async (): Promise<void> => {
    await emulator.stop();
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    const deployment = await deploy(
      emulator,
      await writeConfig(join(scratch, 'deployment.json'), [], {
        schedules: [schedule],
        clusters: { ...plain, K: { kerberos: true }, T: { kerberos: true } },
      }),
    );
    const { configFile } = project.getProvidedContext().bed;
    const args = ['clusters', 'push', configFile, '--stack', deployment.stack];
    const { code, stderr } = await runCli(args, { env: emulator.environment });
    if (code !== 0) throw new Error(`hdfs-fanout ${args.join(' ')} ended with ${String(code)}: ${stderr}`);
    project.provide('aws', { environment: emulator.environment, ...deployment });
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}
