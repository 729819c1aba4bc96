// What the fan-out costs beside the copying itself: cold starts, bundles, time to the first byte, time per batch; and a cost model.
//
// usage: npm run bench:fanout
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ListExecutionsCommand, ListMapRunsCommand } from '@aws-sdk/client-sfn';
import { environment as names } from '../shared/names.ts';
import { deploy, writeConfig } from '../test/aws/emulator/deploy.ts';
import { environmentFor, startEmulator } from '../test/aws/emulator/emulator.ts';
import { clientsOf } from '../test/aws/support.ts';
import { startBed } from '../test/bed/bed.ts';
import { FaultProxy } from '../test/support/fault-proxy.ts';
import { runCli } from '../test/support/cli.ts';
import { TestHdfs } from '../test/support/hdfs.ts';
import { median } from './statistics.ts';
import { costs } from './cost-model.ts';

const functions = ['plan', 'copy', 'finish', 'close', 'reap', 'doctor'] as const;
const STARTS = 7;
const FILES = 64;
const bundleOf = (name: string): string => join(import.meta.dirname, '../dist/functions', name, 'index.mjs');
const lines: string[] = [];
const say = (line: string): void => {
  lines.push(line);
  console.log(line);
};

/** From the beginning of a process to a handler that can be called, ms; and what Node alone takes. */
const startOf = (script: string): number => {
  const env = { ...process.env, ...Object.fromEntries(Object.values(names).map((name) => [name, '{}'])) };
  const times = Array.from({ length: STARTS }, () => {
    const code = `${script}; console.log(performance.now())`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      env: { ...env, AWS_REGION: 'us-east-1' },
    });
    return Number(stdout.toString().trim().split('\n').at(-1));
  });
  return median(times);
};

say(`# The fan-out beside the copying, ${new Date().toISOString().slice(0, 10)}\n`);
const idle = startOf('');
say(`| Lambda | bundle, MB | cold start of the handler, ms |\n| --- | --- | --- |`);
for (const name of functions) {
  const ms = startOf(`await import(${JSON.stringify(pathToFileURL(bundleOf(name)).href)})`);
  say(`| ${name} | ${(statSync(bundleOf(name)).size / 1e6).toFixed(2)} | ${Math.round(ms - idle)} |`);
}
say(`\nMedians of ${STARTS} plain Node processes, less the ${Math.round(idle)} ms of an empty one.\n`);

const scratch = mkdtempSync(join(tmpdir(), 'hdfs-fanout-bench-'));
await using bed = await startBed({});
await using emulator = await startEmulator({ iam: true });
const config = await writeConfig(join(scratch, 'deployment.json'), ['A', 'B']);
const { stack, outputs } = await deploy(emulator, config);
let firstByteAtMs = 0;
await using faultProxy = await FaultProxy.start(bed.clusters.A.namenodeUrl, {
  react: ({ operation }) => {
    if (operation === 'OPEN' && firstByteAtMs === 0) firstByteAtMs = Date.now();
    return undefined;
  },
});
const clusters = Object.entries({ A: faultProxy.url, B: bed.clusters.B.namenodeUrl }).map(([name, url]) => ({
  name,
  user: 'root',
  nameservices: [{ urls: [url], mounts: ['/'] }],
}));
const conf = join(scratch, 'clusters.json');
writeFileSync(conf, JSON.stringify({ clusters }));
const env = environmentFor(emulator.environment);
const run = async (...args: string[]): Promise<void> => {
  const { code, stderr } = await runCli([...args, '--stack', stack], { env });
  if (code !== 0) throw new Error(stderr);
};
await run('clusters', 'push', conf);
const a = new TestHdfs(bed.clusters.A.namenodeUrl);
for (let i = 0; i < FILES; i++) await a.put(`/tree/f${i}`, Buffer.alloc(65_536, i));

const job = async (name: string): Promise<{ firstByteMs: number; wallMs: number }> => {
  firstByteAtMs = 0;
  const begunAtMs = Date.now();
  await run('start', '--wait', 'A:/tree', `B:/${name}`);
  return { firstByteMs: firstByteAtMs - begunAtMs, wallMs: Date.now() - begunAtMs };
};
const cold = await job('cold');
const warm = await job('warm');
const local = Date.now();
await runCli(['copy', '--threads', '12', 'A:/tree', 'B:/local'], { env, conf });
const localMs = Date.now() - local;

const { stepFunctions } = clientsOf(emulator);
const { executions = [] } = await stepFunctions.send(
  new ListExecutionsCommand({ stateMachineArn: outputs['StateMachineArn'], maxResults: 1 }),
);
const { mapRuns = [] } = await stepFunctions.send(
  new ListMapRunsCommand({ executionArn: executions[0]?.executionArn }),
);
const { executions: children = [] } = await stepFunctions.send(
  new ListExecutionsCommand({ mapRunArn: mapRuns[0]?.mapRunArn }),
);
const lasted = children.map(({ startDate, stopDate }) => Number(stopDate) - Number(startDate));

say('| on the emulator, 2 clusters, 64 files of 64 KiB | s |\n| --- | --- |');
say(`| start to first OPEN, Lambdas cold | ${(cold.firstByteMs / 1000).toFixed(2)} |`);
say(`| start to first OPEN, Lambdas warm | ${(warm.firstByteMs / 1000).toFixed(2)} |`);
say(`| whole job, Lambdas warm, ${children.length} batches | ${(warm.wallMs / 1000).toFixed(2)} |`);
say(`| a batch, from its child's start to its end, median | ${(median(lasted) / 1000).toFixed(2)} |`);
say(`| the same tree by \`hdfs-fanout copy\` with as many transfers | ${(localMs / 1000).toFixed(2)} |\n`);
say(costs());
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim();
say(`\nhdfs-fanout ${commit}; the command line's own start is part of each time.`);
const results = join(import.meta.dirname, 'results');
mkdirSync(results, { recursive: true });
writeFileSync(join(results, 'fanout.md'), `${lines.join('\n')}\n`);
