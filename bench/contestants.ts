// Who copies, and by what command.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '../test/bed/bed.ts';
import { blockBytes, type Case, pathsOf } from './cases.ts';
import { javaCommand } from './hadoop.ts';
import type { Command } from './measure.ts';
import { tokenOf } from './requests.ts';

/** Files on their way at once, for all but those that are named otherwise. */
export const atOnce = 10;
/** The command line in its published form. */
export const commandLine = join(import.meta.dirname, '../bin/hdfs-fanout.js');
/** What it takes to fill a long way. */
const manyAtOnce = 100;

/** What every contestant needs to know. */
export interface Arena {
  readonly source: Cluster;
  readonly destination: Cluster;
  /** Names both clusters, in the form that pydistcp and hdfs-fanout share. */
  readonly configFile: string;
  /** The certificate authorities of both, as a PEM file, where they have any. */
  readonly authorities?: string;
  /** For what contestants keep on this machine; holds the built floor. */
  readonly scratch: string;
  readonly pydistcp: string;
}

/** One copy: an existing tree, and a place for it in an existing directory. */
export interface Task {
  readonly case: Case;
  readonly from: string;
  readonly to: string;
}

export interface Contestant {
  readonly name: string;
  /** As tables show it. */
  readonly title: string;
  /** The contestant that makes only the requests that this one cannot do without. */
  readonly floor?: string;
  /** Processes that copy, where they are more than one. */
  readonly copiers?: number;
  readonly command: (arena: Arena, task: Task) => Promise<Command> | Command;
}

const hdfsFanout =
  (...flags: string[]) =>
  ({ configFile, scratch }: Arena, { from, to }: Task): Command => ({
    program: process.execPath,
    args: [commandLine, 'copy', `A:${from}`, `B:${to}`, '--silent', ...flags],
    env: { WEBHDFS_CONFIG: configFile, HDFS_FANOUT_HOME: join(scratch, 'jobs') },
  });

/** Cuts files into the chunks of the case. */
const hdfsFanoutInChunks =
  (...flags: string[]) =>
  (arena: Arena, task: Task): Command => {
    const { chunkBytes = 0 } = task.case;
    const cut = ['--split-above', String(chunkBytes), '--chunk-size', String(chunkBytes)];
    return hdfsFanout(...flags, ...cut)(arena, task);
  };

/** What a verified copy cannot do without depends on the case: where block sizes differ the bytes have to be digested. */
const floor =
  (isVerified: boolean) =>
  ({ source, destination, scratch, authorities }: Arena, { case: of, from, to }: Task): Command => {
    const { sourceBlockBytes = blockBytes } = of;
    const level = !isVerified ? 'none' : sourceBlockBytes === blockBytes ? 'checksum' : 'digest';
    const ends = [source.namenodeUrl, from, destination.namenodeUrl, to];
    const [SOURCE_TOKEN, DESTINATION_TOKEN] = [source, destination].map(({ namenodeUrl }) => tokenOf(namenodeUrl));
    return {
      program: process.execPath,
      args: [join(scratch, 'floor.mjs'), level, ...ends, String(atOnce), String(sourceBlockBytes), String(blockBytes)],
      env: { SOURCE_TOKEN, DESTINATION_TOKEN, NODE_EXTRA_CA_CERTS: authorities },
    };
  };

/** Its own default of 64 KiB a read is slow, its default logging to a file as well: both are set to what suits it. */
const pydistcp =
  (threads: number) =>
  ({ pydistcp: program, configFile }: Arena, { from, to }: Task): Command => ({
    program,
    args: [`--conf=${configFile}`, '-s', 'A', '-d', 'B', '--part-size=1048576', `--threads=${threads}`, from, to],
  });

const distcp =
  (urlOf: (cluster: Cluster) => string) =>
  ({ source, destination, scratch }: Arena, { case: { chunkBytes }, from, to }: Task): Promise<Command> => {
    const cut = chunkBytes === undefined ? [] : ['-blocksperchunk', String(chunkBytes / blockBytes)];
    const args = ['-m', String(atOnce), ...cut, `${urlOf(source)}${from}`, `${urlOf(destination)}${to}`];
    return javaCommand(join(scratch, 'hadoop'), 'org.apache.hadoop.tools.DistCp', args);
  };

const rpcOf = ({ rpc }: Cluster): string => `hdfs://${rpc}`;

const curl = async ({ source, destination, scratch }: Arena, { case: of, from, to }: Task): Promise<Command> => {
  const paths = join(scratch, 'paths');
  await writeFile(paths, pathsOf(of).join('\n'));
  const each = Math.max(1, Math.floor(of.files / (atOnce * 5)));
  const ends = [source.namenodeUrl, from, destination.namenodeUrl, to];
  return {
    program: 'bash',
    args: [join(import.meta.dirname, 'curl-copy.sh'), ...ends, String(atOnce), paths, String(each)],
  };
};

const one = ['--copiers', '1'];
const few = [...one, '--threads', String(atOnce)];
const whole = ['--split-above', '0'];
const many = [...one, '--threads', String(manyAtOnce)];

export const contestants: readonly Contestant[] = [
  { name: 'fanout', title: 'hdfs-fanout', floor: 'floor', command: hdfsFanout(...few, ...whole) },
  { name: 'fanout-chunks', title: 'hdfs-fanout in chunks', floor: 'floor', command: hdfsFanoutInChunks(...few) },
  { name: 'floor', title: 'floor', command: floor(true) },
  {
    name: 'fanout-none',
    title: 'hdfs-fanout --verify none',
    floor: 'floor-none',
    command: hdfsFanout(...few, '--verify', 'none'),
  },
  { name: 'floor-none', title: 'floor --verify none', command: floor(false) },
  {
    name: 'fanout-2',
    title: 'hdfs-fanout --copiers 2',
    copiers: 2,
    command: hdfsFanout('--copiers', '2', '--threads', String(atOnce)),
  },
  { name: 'pydistcp', title: 'pydistcp', command: pydistcp(atOnce) },
  { name: 'fanout-100', title: 'hdfs-fanout --threads 100', command: hdfsFanout(...many) },
  { name: 'pydistcp-100', title: 'pydistcp --threads=100', command: pydistcp(manyAtOnce) },
  { name: 'fanout-auto', title: 'hdfs-fanout --threads auto', command: hdfsFanout(...one, '--threads', 'auto') },
  { name: 'distcp-rpc', title: 'DistCp hdfs://', command: distcp(rpcOf) },
  {
    name: 'distcp',
    title: 'DistCp webhdfs://',
    command: distcp(({ namenodeUrl }) => namenodeUrl.replace('http:', 'webhdfs:')),
  },
  { name: 'distcp-chunks', title: 'DistCp -blocksperchunk', command: distcp(rpcOf) },
  { name: 'curl', title: 'curl | curl', command: curl },
];

export const copiersOf = (contestant: string): number =>
  contestants.find(({ name }) => name === contestant)?.copiers ?? 1;
