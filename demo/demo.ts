import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBed } from '../test/bed/bed.ts';
import { writeSample } from './sample.ts';

/** The main job on real daemons: two Hadoop clusters, a tree put into the first and copied to the second. */
const bin = join(import.meta.dirname, '../bin/hdfs-fanout.js');
const scratch = await mkdtemp(join(tmpdir(), 'hdfs-fanout-demo-'));
let failed = true;
try {
  say('Starting two Hadoop clusters (the first time, Maven fetches Hadoop) …');
  await using bed = await startBed({ say });
  say(`A ${bed.clusters.A.namenodeUrl}  B ${bed.clusters.B.namenodeUrl}`);
  const sample = join(scratch, 'sample');
  const { files, bytes } = await writeSample(sample);
  say(`Putting ${files} files, ${Math.round(bytes / 1e6)} MB, into cluster A …`);
  const env = { ...process.env, WEBHDFS_CONFIG: bed.configFile, HDFS_FANOUT_HOME: join(scratch, 'home') };
  await hdfsFanout(['copy', '--silent', `local:${sample}`, 'A:/sample'], env, 'ignore');
  say('\n$ hdfs-fanout copy --preserve A:/sample B:/sample');
  await hdfsFanout(['copy', '--preserve', 'A:/sample', 'B:/sample'], env, 'inherit');
  say('\nStopping the clusters.');
  failed = false;
} finally {
  await rm(scratch, { recursive: true, force: true });
  if (failed) process.exitCode = 1;
}

async function hdfsFanout(args: string[], env: NodeJS.ProcessEnv, stdout: 'inherit' | 'ignore'): Promise<void> {
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', stdout, 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`hdfs-fanout ${args.join(' ')} ended with ${String(code)}`);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
