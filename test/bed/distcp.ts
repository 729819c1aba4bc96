// Hadoop's own copier, run locally against the bed: what this project is compared with.
import { mkdtemp, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Bed } from './bed.ts';
import { getHadoop } from './jars.ts';
import { hadoopEnvironment, openModules } from './jvm.ts';
import { type Properties, writeSites } from './site.ts';
import { runTool } from './tools.ts';

export interface DistcpOptions {
  heapMb?: number;
  /** How many maps run at once; `-m` says into how many the work is cut. */
  maps?: number;
  extraCore?: Properties;
  extraHdfs?: Properties;
  version?: string;
}

const sites = (scratch: string, { maps = 4, extraCore, extraHdfs }: DistcpOptions): Record<string, Properties> => ({
  core: { 'fs.defaultFS': 'file:///', 'hadoop.tmp.dir': scratch, ...extraCore },
  mapred: {
    'mapreduce.framework.name': 'local',
    'mapreduce.local.map.tasks.maximum': String(maps),
    'mapreduce.cluster.local.dir': join(scratch, 'local'),
    'mapreduce.jobtracker.staging.root.dir': join(scratch, 'staging'),
    'mapreduce.job.counters.max': '500',
  },
  hdfs: {
    'dfs.client.use.datanode.hostname': 'true',
    'dfs.replication': '1',
    'dfs.client.block.write.locateFollowingBlock.initial.delay.ms': '10',
    'dfs.checksum.combine.mode': 'MD5MD5CRC',
    ...extraHdfs,
  },
});

/**
 * `args` are DistCp's own: options, sources, destination, as webhdfs://localhost:PORT/… or hdfs://localhost:PORT/….
 * Given a directory instead of a bed, its scratch files go there for as long as it runs.
 */
export const distcp = async (
  bed: Bed | string,
  args: string[],
  options: DistcpOptions = {},
): Promise<{ code: number; stderr: string }> => {
  const { dir, version } = typeof bed === 'string' ? { dir: bed, version: options.version } : bed;
  const hadoop = await getHadoop(version);
  const own = await mkdtemp(join(dir, 'distcp-'));
  try {
    await writeSites(own, sites(join(own, 'scratch'), options));
    const java = [`-Xmx${options.heapMb ?? 1024}m`, '-Djava.net.preferIPv4Stack=true', ...openModules];
    java.push('-Dbed.log.level=WARN', '-cp', [hadoop.classpath, own].join(delimiter));
    java.push('org.apache.hadoop.tools.DistCp', ...args);
    const { code, stderr } = await runTool('java', java, { env: hadoopEnvironment() });
    return { code, stderr };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
};
