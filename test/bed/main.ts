// The command: a bed that stands until it is taken down.
import { parseArgs } from 'node:util';
import { type BedOptions, type Cluster, startBed } from './bed.ts';
import { controlFile } from './control.ts';
import { makeActive } from './failover.ts';
import { defaultVersion } from './paths.ts';
import { residentMiB } from './processes.ts';
import { webTrouble } from './ready.ts';
import { endRecorded, readRecord, recordedNames, runs, writeRecord } from './record.ts';

const usage = `usage: npm run bed -- up [mono|plain] [options] | failover NAMENODE | status | down [--name NAME | --all]
  up mono           clusters A and B in one JVM, but for what needs one of its own (the default)
  up plain          the same, one JVM per daemon
  failover H-nn2    makes the other namenode of a cluster with --ha active
  status            every bed's daemons: process id, address, memory, whether they answer
  down              stops a bed and removes its data
  --name NAME       tells beds apart (default: bed)
  --clusters A,B    the clusters' names
  --kerberos        tickets and TLS, with a realm of its own for each cluster: A.TEST
  --tls             HTTPS, with a certificate authority of the bed's own
  --ha              two namenodes, A-nn1 and A-nn2
  --httpfs          an HttpFS before each cluster
  --kms             a KMS, and the encryption zones /ez and /ez2
  --ec              three datanodes, and XOR-2-1-1024k on /ec
  --hadoop VERSION  as in 3.3.6 (default: ${defaultVersion})
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
      kerberos: { type: 'boolean', default: false },
      tls: { type: 'boolean', default: false },
      ha: { type: 'boolean', default: false },
      httpfs: { type: 'boolean', default: false },
      kms: { type: 'boolean', default: false },
      ec: { type: 'boolean', default: false },
      hadoop: { type: 'string' },
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
  const { tls, ha, httpfs, kms, ec } = values;
  const each = {
    tls,
    ha,
    httpfs,
    encryptionZones: kms ? { '/ez': 'k1', '/ez2': 'k2' } : undefined,
    erasureCoding: ec ? { '/ec': 'XOR-2-1-1024k' } : undefined,
    datanodes: number(values, 'datanodes') ?? (ec ? 3 : 1),
    replication: number(values, 'replication'),
    blockBytes: number(values, 'block-bytes'),
  };
  const clusters = values.clusters.split(',').map((name) => ({
    name,
    ...each,
    kerberos: values.kerberos ? { realm: `${name.toUpperCase()}.TEST` } : undefined,
  }));
  return {
    clusters,
    separate: mode === 'plain',
    heapMb: number(values, 'heap'),
    c2: values.c2,
    keepAlive: 'detached',
    ...(values.hadoop === undefined ? {} : { version: values.hadoop }),
    say,
  };
};

const tell = ({ name, namenodes, httpfs, kms, ca, kerberos }: Cluster): void => {
  for (const { url, rpc } of namenodes) say(`${name}  ${url}  hdfs://${rpc}`);
  if (httpfs) say(`   HttpFS ${httpfs.url}`);
  if (kms) say(`   KMS ${kms.url}`);
  if (ca !== undefined) say(`   certificate authority ${ca}`);
  if (!kerberos) return;
  for (const { principal, keytab } of Object.values(kerberos.users))
    say(`   KRB5_CONFIG=${kerberos.krb5Conf} kinit -kt ${keytab} ${principal}`);
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
  for (const cluster of Object.values(bed.clusters)) tell(cluster);
  say(`configuration: ${bed.configFile}`);
  say(`logs: ${bed.dir}/logs`);
  say(`stop it: npm run bed -- down${again}`);
};

const urlOf = ({ namenodes, datanodes, httpfs, kms, ca }: Cluster, daemon: string): string | undefined => {
  const server = [...namenodes, httpfs, kms].find((of) => of?.daemon === daemon);
  if (server) return server.url;
  const datanode = datanodes.find((of) => of.daemon === daemon);
  return datanode && `${ca === undefined ? 'http' : 'https'}://${datanode.httpAddress}`;
};

const showOne = async (name: string): Promise<void> => {
  const record = await readRecord(name);
  if (!record) return;
  say(`${name}  ${record.configFile}`);
  for (const { pid, daemons } of record.hosts) {
    const state = runs(record, pid) ? `${residentMiB(pid)} MiB` : 'gone';
    for (const daemon of daemons) {
      const url = record.clusters.map((cluster) => urlOf(cluster, daemon)).find((of) => of !== undefined);
      const process = `  ${daemon.padEnd(8)} pid ${String(pid).padEnd(8)} ${state.padEnd(9)}`;
      if (url === undefined) say(process.trimEnd());
      else say(`${process} ${url}  ${(await webTrouble(url)) === undefined ? 'answers' : 'does not answer'}`);
    }
  }
};

const failover = async (values: Values, namenode = ''): Promise<void> => {
  const record = await readRecord(values.name);
  if (!record) throw new Error(`${values.name} is not up`);
  await makeActive(record.clusters, namenode, (daemon) => {
    const host = record.hosts.find(({ daemons }) => daemons.includes(daemon));
    return host && runs(record, host.pid) ? controlFile(record.dir, host.name) : undefined;
  });
  say(`${namenode} is active`);
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
  const [command, of] = positionals;
  if (command === 'up') await up(values, of ?? 'mono');
  else if (command === 'failover') await failover(values, of);
  else if (command === 'status') await status();
  else if (command === 'down') await down(values);
  else say(usage);
  if (command !== undefined && !['up', 'failover', 'status', 'down'].includes(command)) process.exitCode = 2;
};

try {
  await run();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
