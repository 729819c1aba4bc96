// Who copies, and by what command.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '../test/bed/bed.ts';
import { type Case, pathsOf } from './cases.ts';
import { javaCommand } from './hadoop.ts';
import type { Command } from './measure.ts';

/** Files on their way at once, for all. */
export const atOnce = 10;

/** What every contestant needs to know. */
export interface Arena {
  readonly source: Cluster;
  readonly destination: Cluster;
  /** Names both clusters, in the form that pydistcp and hdfs-fanout share. */
  readonly configFile: string;
  /** For what contestants keep on this machine; holds the built hdfs-fanout and floor. */
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
  /** Whether it takes part between secure clusters. */
  readonly secure?: true;
  readonly command: (arena: Arena, task: Task) => Promise<Command> | Command;
}

const hdfsFanout =
  (...flags: string[]) =>
  ({ configFile, scratch }: Arena, { from, to }: Task): Command => ({
    program: process.execPath,
    args: [
      join(scratch, 'hdfs-fanout.mjs'),
      'copy',
      `A:${from}`,
      `B:${to}`,
      '--threads',
      String(atOnce),
      '--silent',
      ...flags,
    ],
    env: { WEBHDFS_CONFIG: configFile, HDFS_FANOUT_HOME: join(scratch, 'jobs') },
  });

const floor =
  (level: 'none' | 'checksum') =>
  ({ source, destination, scratch }: Arena, { from, to }: Task): Command => ({
    program: process.execPath,
    args: [join(scratch, 'floor.mjs'), level, source.namenodeUrl, from, destination.namenodeUrl, to, String(atOnce)],
  });

/** Its own default of 64 KiB a read is slow, its default logging to a file as well: both are set to what suits it. */
const pydistcp = ({ pydistcp: program, configFile }: Arena, { from, to }: Task): Command => ({
  program,
  args: [`--conf=${configFile}`, '-s', 'A', '-d', 'B', '--part-size=1048576', `--threads=${atOnce}`, from, to],
});

const distcp = ({ source, destination, scratch }: Arena, { from, to }: Task): Promise<Command> => {
  const [a, b] = [source, destination].map(({ namenodeUrl }) => namenodeUrl.replace('http:', 'webhdfs:'));
  const args = ['-m', String(atOnce), `${a}${from}`, `${b}${to}`];
  return javaCommand(join(scratch, 'hadoop'), 'org.apache.hadoop.tools.DistCp', args);
};

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

export const contestants: readonly Contestant[] = [
  { name: 'fanout', title: 'hdfs-fanout', floor: 'floor', secure: true, command: hdfsFanout() },
  { name: 'floor', title: 'floor', command: floor('checksum') },
  {
    name: 'fanout-none',
    title: 'hdfs-fanout --verify none',
    floor: 'floor-none',
    secure: true,
    command: hdfsFanout('--verify', 'none'),
  },
  { name: 'floor-none', title: 'floor --verify none', command: floor('none') },
  { name: 'pydistcp', title: 'pydistcp', secure: true, command: pydistcp },
  { name: 'distcp', title: 'DistCp', command: distcp },
  { name: 'curl', title: 'curl | curl', command: curl },
];
