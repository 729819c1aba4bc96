import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deploy, writeConfig } from '../test/aws/emulator/deploy.ts';
import { environmentFor, startEmulator } from '../test/aws/emulator/emulator.ts';
import { startBed } from '../test/bed/bed.ts';
import { writeSample } from './sample.ts';

/** The fan-out where there is no AWS: the real CDK app in an emulator, its Lambdas copying between two real clusters. */
const bin = join(import.meta.dirname, '../bin/hdfs-fanout.js');
const scratch = await mkdtemp(join(tmpdir(), 'hdfs-fanout-demo-'));
let failed = true;
try {
  say('Starting two Hadoop clusters (the first time, Maven fetches Hadoop) …');
  await using bed = await startBed({ say });
  say(`A ${bed.clusters.A.namenodeUrl}  B ${bed.clusters.B.namenodeUrl}`);
  say('Starting an AWS emulator that enforces policies (the first time, pip gets it) …');
  await using emulator = await startEmulator({ iam: true, say });
  const config = await writeConfig(join(scratch, 'deployment.json'), ['A', 'B']);
  const { stack } = await deploy(emulator, config, say);
  const env = environmentFor({
    ...emulator.environment,
    WEBHDFS_CONFIG: bed.configFile,
    HDFS_FANOUT_HOME: join(scratch, 'home'),
  });
  await run(['clusters', 'push', '--stack', stack], env);
  say('Putting a sample tree into cluster A …');
  const { files, bytes } = await writeSample(join(scratch, 'sample'));
  await quietly(['copy', '--silent', `local:${join(scratch, 'sample')}`, 'A:/sample'], env);
  say(`It has ${files} files, ${Math.round(bytes / 1e6)} MB.`);
  const started = await run(['start', '--stack', stack, '--wait', '--preserve', 'A:/sample', 'B:/sample'], env);
  const job = /"Job": "([^"]+)"/.exec(started)?.[1];
  if (job === undefined) throw new Error('the Job Status names no job');
  say('\nThe same status, read from DynamoDB:');
  await run(['status', job, '--stack', stack], env);
  say('\nStopping the emulator and the clusters.');
  failed = false;
} finally {
  await rm(scratch, { recursive: true, force: true });
  if (failed) process.exitCode = 1;
}

/** Shows a command and what it prints. @returns what it printed */
async function run(args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  say(`\n$ hdfs-fanout ${args.join(' ')}`);
  const printed = await quietly(args, env);
  process.stdout.write(printed);
  return printed;
}

async function quietly(args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return printed;
  process.stdout.write(printed);
  throw new Error(`hdfs-fanout ${args.join(' ')} ended with ${String(code)}`);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
