// The real deployment, by the real cdk command, into the emulator.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runProgram } from '../../bed/tools.ts';
import type { Say } from '../../bed/jars.ts';
import { type Emulator, account, environmentFor, region } from './emulator.ts';

export interface Deployment {
  /** Name of the stack. */
  readonly stack: string;
  /** What the stack tells of itself, by the names of `outputs` in shared/names.ts. */
  readonly outputs: Readonly<Record<string, string>>;
}

type Stack = [name: string, outputs: Record<string, string>];
type Stacks = Record<string, Record<string, string>>;

const project = resolve(import.meta.dirname, '../../..');
const cdkCommand = join(project, 'node_modules/aws-cdk/bin/cdk');
const app = `${process.execPath} infra/app.ts`;
const quiet = ['--ci', '--no-color', '--no-notices', '--progress', 'events'];

/** @throws with the end of what the command and the emulator said */
const cdk = async (emulator: Emulator, args: readonly string[], cwd: string): Promise<void> => {
  const env = {
    ...environmentFor(emulator.environment),
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_DEFAULT_ACCOUNT: account,
    CDK_DEFAULT_REGION: region,
  };
  const { code, stdout, stderr } = await runProgram(process.execPath, [cdkCommand, ...args, ...quiet], { cwd, env });
  if (code === 0) return;
  const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-40).join('\n');
  throw new Error(`cdk ${args[0] ?? ''} ended with ${code}\n${said}\n==> emulator <==\n${emulator.logs()}`);
};

/**
 * A deployment's configuration for the emulator: what a real one has outside the stack (network, route tables) goes by ids, which
 * the emulator does not look up.
 * @param clusters  aliases, unless `more` has them
 * @returns the file
 */
export const writeConfig = async (file: string, clusters: readonly string[], more: object = {}): Promise<string> => {
  const config = {
    network: {
      vpcId: 'vpc-0123456789abcdef0',
      subnets: [
        { subnetId: 'subnet-0123456789abcdef0', availabilityZone: `${region}a`, routeTableId: 'rtb-0123456789abcdef0' },
      ],
      // The emulator is on the loopback interface, and knows no rules of security groups.
      endpoints: { secretsmanager: 'existing', kms: 'existing', states: 'existing' },
    },
    clusters: Object.fromEntries(clusters.map((alias) => [alias, {}])),
    // Each concurrent Lambda is a process of 100 MB here.
    copiers: 3,
    transfersPerCopier: 4,
    architecture: 'x86_64',
    functions: { copy: { timeoutSeconds: 120 }, close: { timeoutSeconds: 180 } },
    retain: false,
    ...more,
  };
  await writeFile(file, `${JSON.stringify(config, undefined, 2)}\n`);
  return file;
};

/** `cdk bootstrap`, once for an emulator, and `cdk deploy` with this configuration. Says what it does, a line each. */
export const deploy = async (emulator: Emulator, config: string, say: Say = () => undefined): Promise<Deployment> => {
  const scratch = await mkdtemp(join(tmpdir(), 'hdfs-fanout-cdk-'));
  try {
    say(`$ cdk bootstrap aws://${account}/${region}`);
    // Not in the project's directory, where cdk would run the app for it.
    await cdk(emulator, ['bootstrap', `aws://${account}/${region}`], scratch);
    const assembly = join(scratch, 'cdk.out');
    const outputs = join(scratch, 'outputs.json');
    say('$ cdk synth');
    await cdk(
      emulator,
      ['synth', '--quiet', '--app', app, '--output', assembly, '--context', `config=${config}`],
      project,
    );
    say('$ cdk deploy');
    const flags = ['--app', assembly, '--require-approval', 'never', '--outputs-file', outputs];
    await cdk(emulator, ['deploy', '--all', ...flags], scratch);
    const [[stack, values]] = Object.entries(JSON.parse(await readFile(outputs, 'utf8')) as Stacks) as [Stack];
    return { stack, outputs: values };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};
