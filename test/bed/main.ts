// The command: a bed that stands until it is taken down.
import { parseArgs } from 'node:util';
import { type BedOptions, startBed } from './bed.ts';
import { residentMiB } from './processes.ts';
import { type BedRecord, endRecorded, readRecord, recordedNames, runs, writeRecord } from './record.ts';

const usage = `usage: npm run bed -- up [mono|plain] [options] | status | down [--name NAME | --all]
  up mono           clusters A and B in one JVM (the default)
  up plain          the same, one JVM per daemon
  status            every bed's daemons: process id, address, memory, whether they answer
  down              stops a bed and removes its data
  --name NAME       tells beds apart (default: bed)
  --clusters A,B    the clusters' names
  --datanodes N     per cluster (default 1)
  --replication N   default 1
  --block-bytes N   default 128 MiB, at least 512
  --heap MB         per JVM (default 512)
  --c2              with the C2 compiler, for measurements`;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const parse = () =>
  parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string', default: 'bed' },
      clusters: { type: 'string', default: 'A,B' },
      datanodes: { type: 'string' },
      replication: { type: 'string' },
      'block-bytes': { type: 'string' },
      heap: { type: 'string' },
      c2: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });

type Values = ReturnType<typeof parse>['values'];

const number = (values: Values, option: 'datanodes' | 'replication' | 'block-bytes' | 'heap'): number | undefined => {
  const text = values[option];
  if (text === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${option} takes a positive number, not ${text}`);
  return Number(text);
};

const optionsOf = (values: Values, mode: string): BedOptions<string> => {
  if (mode !== 'plain' && mode !== 'mono') throw new Error(`no such bed: ${mode} (mono or plain)`);
  const each = {
    datanodes: number(values, 'datanodes'),
    replication: number(values, 'replication'),
    blockBytes: number(values, 'block-bytes'),
  };
  const clusters = values.clusters.split(',').map((name) => ({ name, ...each }));
  return {
    clusters,
    separate: mode === 'plain',
    heapMb: number(values, 'heap'),
    c2: values.c2,
    keepAlive: 'detached',
    say,
  };
};

const up = async (values: Values, mode: string): Promise<void> => {
  const { name } = values;
  const former = await readRecord(name);
  const again = name === 'bed' ? '' : ` --name ${name}`;
  if (former?.hosts.some(({ pid }) => runs(former, pid))) {
    throw new Error(`${name} is up already; npm run bed -- down${again}`);
  }
  if (former) await endRecorded(former);
  const begun = performance.now();
  const bed = await startBed(optionsOf(values, mode));
  await writeRecord(name, bed);
  say(`up in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  for (const cluster of Object.values(bed.clusters))
    say(`${cluster.name}  ${cluster.namenodeUrl}  hdfs://${cluster.rpc}`);
  say(`configuration: ${bed.configFile}`);
  say(`logs: ${bed.dir}/logs`);
  say(`stop it: npm run bed -- down${again}`);
};

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/jmx?qry=none`, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
};

const urlOf = (record: BedRecord, daemon: string): string => {
  for (const { namenode, namenodeUrl, datanodes } of record.clusters) {
    if (namenode === daemon) return namenodeUrl;
    const datanode = datanodes.find((of) => of.daemon === daemon);
    if (datanode) return `http://${datanode.httpAddress}`;
  }
  return '';
};

const showOne = async (name: string): Promise<void> => {
  const record = await readRecord(name);
  if (!record) return;
  say(`${name}  ${record.configFile}`);
  for (const { pid, daemons } of record.hosts) {
    const state = runs(record, pid) ? `${residentMiB(pid)} MiB` : 'gone';
    for (const daemon of daemons) {
      const url = urlOf(record, daemon);
      const answer = (await answers(url)) ? 'answers' : 'does not answer';
      say(`  ${daemon.padEnd(8)} pid ${String(pid).padEnd(8)} ${state.padEnd(9)} ${url}  ${answer}`);
    }
  }
};

const status = async (): Promise<void> => {
  const names = await recordedNames();
  if (names.length === 0) say('no bed is up');
  for (const name of names) await showOne(name);
};

const down = async (values: Values): Promise<void> => {
  for (const name of values.all ? await recordedNames() : [values.name]) {
    const record = await readRecord(name);
    if (record) await endRecorded(record);
    say(record ? `${name} is down` : `${name} is not up`);
  }
};

const run = async (): Promise<void> => {
  const { values, positionals } = parse();
  const [command, mode = 'mono'] = positionals;
  if (command === 'up') await up(values, mode);
  else if (command === 'status') await status();
  else if (command === 'down') await down(values);
  else say(usage);
  if (command !== undefined && !['up', 'status', 'down'].includes(command)) process.exitCode = 2;
};

try {
  await run();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
