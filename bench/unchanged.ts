// Copying a tree again of which nothing has changed: what is left is to look.
import { join } from 'node:path';
import type { Cluster } from '../test/bed/bed.ts';
import { type ListingCase, listedPathsOf } from './cases.ts';
import { type Arena, atOnce, commandLine } from './contestants.ts';
import { javaCommand } from './hadoop.ts';
import { jobStatusIn } from './job-status.ts';
import { type Command, measure } from './measure.ts';
import type { Summary } from '../shared/job/verification.ts';
import type { Lister, Told } from './planning.ts';
import { layOut } from './trees.ts';

const fileBytes = 1;

const walkCommand = ({ configFile }: Arena, root: string): Command => ({
  program: process.execPath,
  args: [join(import.meta.dirname, 'walk.ts'), configFile, root, root],
});

const copyCommand = ({ configFile, scratch }: Arena, root: string): Command => ({
  program: process.execPath,
  args: [
    commandLine,
    'copy',
    `A:${root}`,
    `B:${root}`,
    '--exact',
    '--force',
    '--compare',
    'time',
    '--attributes',
    'times',
    '--silent',
  ],
  env: { WEBHDFS_CONFIG: configFile, HDFS_FANOUT_HOME: join(scratch, 'jobs') },
});

/** As closely as `--compare time` looks: by both listings. */
const verifyCommand = ({ configFile }: Arena, root: string): Command => ({
  program: process.execPath,
  args: [commandLine, 'verify', '--level', 'size', '--attributes', 'times', '--json', `A:${root}`, `B:${root}`],
  env: { WEBHDFS_CONFIG: configFile },
});

const distcpCommand = (
  { source, destination, scratch }: Arena,
  root: string,
  urlOf: (cluster: Cluster) => string,
): Promise<Command> => {
  const args = ['-update', '-m', String(atOnce), `${urlOf(source)}${root}`, `${urlOf(destination)}${root}`];
  return javaCommand(join(scratch, 'hadoop'), 'org.apache.hadoop.tools.DistCp', args);
};

/** The Job Status: of a job that has copied something nothing is told. */
const toldByStatus = (stdout: string): Told => {
  const status = jobStatusIn(stdout);
  return { files: status['Files Skipped'], seconds: status.Duration };
};

/** The summary: of trees that are not equal nothing is told. */
const toldBySummary = (stdout: string): Told => {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  const { equal, startedAt, endedAt } = JSON.parse(line) as Summary & Record<'startedAt' | 'endedAt', string>;
  return { files: equal.files, seconds: (Date.parse(endedAt) - Date.parse(startedAt)) / 1000 };
};

/** Lays the tree out at the source, copies it, times included, and tells who looks at both trees then. */
export const unchangedListers = async (
  of: ListingCase,
  arena: Arena,
  servers: readonly number[],
): Promise<Lister[]> => {
  const root = `/lists/${of.name}`;
  await layOut(arena.source, root, listedPathsOf(of), fileBytes);
  const copy = copyCommand(arena, root);
  await layOut(arena.destination, '/lists', ['/made'], 0);
  await measure(copy, servers);
  const distcp = (name: string, urlOf: (cluster: Cluster) => string): Lister => ({
    name,
    title: `DistCp -update ${name === 'distcp' ? 'webhdfs' : 'hdfs'}://`,
    command: () => distcpCommand(arena, root, urlOf),
    told: 'nothing',
  });
  return [
    { name: 'walk', title: 'listing of both trees', command: () => walkCommand(arena, root) },
    { name: 'unchanged', title: 'hdfs-fanout --compare time', command: () => copy, told: toldByStatus },
    { name: 'verify', title: 'hdfs-fanout verify', command: () => verifyCommand(arena, root), told: toldBySummary },
    distcp('distcp-rpc', ({ rpc }) => `hdfs://${rpc}`),
    distcp('distcp', ({ namenodeUrl }) => namenodeUrl.replace('http:', 'webhdfs:')),
  ];
};
